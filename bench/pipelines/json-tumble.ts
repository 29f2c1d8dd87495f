import { clickFile } from '../lib/click-files.ts'
import type { PipelineBench } from './definition.ts'
import { drawnTumble } from './drawn.ts'

const columns = "columns={event_time:'BIGINT', user_id:'VARCHAR', amount:'DOUBLE', latency:'BIGINT'}"
const results = 'user_id, count(*) AS n, avg(latency) AS latency, sum(amount) AS amount'

/** JSON lines → one-minute windows per user (count, mean, sum) → JSON lines. */
export const jsonTumble: PipelineBench = {
  name: 'json-tumble',
  data: (records, directory) => clickFile('clicks', records, directory),
  nested: true,
  drawnMin: 1.5,
  drawn: (shape) => drawnTumble(jsonTumble, shape, false),
  script: ({ input, output }) => `
CREATE STREAM clicks (event_time TIMESTAMP, user_id STRING, amount DOUBLE, latency BIGINT,
  WATERMARK FOR event_time AS event_time - INTERVAL '2' SECOND) FROM ${input};
INSERT INTO ${output}
SELECT window_start, user_id, COUNT(*) AS n, AVG(latency) AS latency, SUM(amount) AS amount
FROM clicks GROUP BY user_id, TUMBLE(event_time, INTERVAL '1' MINUTE);`,
  duckdb: [
    ({ input, output }) => `
COPY (SELECT make_timestamp((event_time // 60000) * 60000000) AS window_start, ${results}
FROM read_json(${input}, format='newline_delimited', ${columns}) GROUP BY 1, 2) TO ${output} (FORMAT json)`,
    ({ input, output }) => `
COPY (SELECT make_timestamp(w * 60000000) AS window_start, user_id, n, latency, amount FROM
(SELECT event_time // 60000 AS w, ${results}
FROM read_json(${input}, format='newline_delimited', ${columns}) GROUP BY 1, 2)) TO ${output} (FORMAT json)`,
  ],
  key: ['window_start', 'user_id'],
  exact: ['n'],
  doubles: ['latency', 'amount'],
  bars: [
    { peer: 'duckdb', min: 2.2, percentile: 20 },
    { peer: 'node', min: 6, percentile: 20 },
  ],
}
