import { clickFile } from '../lib/click-files.ts'
import type { PipelineBench } from './definition.ts'
import { drawnTumble } from './drawn.ts'
import { jsonTumble } from './json-tumble.ts'

const columns =
  "columns={event_time:'BIGINT', user_id:'VARCHAR', url:'VARCHAR', amount:'DOUBLE', status:'VARCHAR', latency:'BIGINT', channel:'VARCHAR'}, header=true, delim=',', quote='\"', auto_detect=false"
const results = 'user_id, count(*) AS n, avg(latency) AS latency, sum(amount) AS amount'

/** CSV → one-minute windows per user → JSON lines. */
export const csvTumble: PipelineBench = {
  ...jsonTumble,
  name: 'csv-tumble',
  data: (records, directory) => clickFile('clicks-csv', records, directory),
  nested: false,
  drawnMin: 1.5,
  drawn: (shape) => drawnTumble(csvTumble, shape, true),
  duckdb: [
    ({ input, output }) => `
COPY (SELECT make_timestamp((event_time // 60000) * 60000000) AS window_start, ${results}
FROM read_csv(${input}, ${columns}) GROUP BY 1, 2) TO ${output} (FORMAT json)`,
    ({ input, output }) => `
COPY (SELECT make_timestamp(w * 60000000) AS window_start, user_id, n, latency, amount FROM
(SELECT event_time // 60000 AS w, ${results} FROM read_csv(${input}, ${columns}) GROUP BY 1, 2)) TO ${output} (FORMAT json)`,
  ],
  bars: [{ peer: 'duckdb', min: 2.2, percentile: 20 }],
}
