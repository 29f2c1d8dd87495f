import { clickFile } from '../lib/click-files.ts'
import type { PipelineBench } from './definition.ts'
import { drawnProject } from './drawn.ts'

const columns = "columns={user_id:'VARCHAR', amount:'DOUBLE', status:'VARCHAR', latency:'BIGINT'}"

/** JSON lines → filter and projection → JSON lines. */
export const jsonProject: PipelineBench = {
  name: 'json-project',
  data: (records, directory) => clickFile('clicks', records, directory),
  nested: true,
  drawnMin: 1.5,
  drawn: (shape) => drawnProject(jsonProject, shape),
  script: ({ input, output }) => `
CREATE STREAM clicks (user_id STRING, amount DOUBLE, status STRING, latency BIGINT) FROM ${input};
INSERT INTO ${output}
SELECT user_id, amount * 1.1e0 AS gross, latency FROM clicks WHERE status = 'ok' AND latency > 30;`,
  duckdb: [
    ({ input, output }) => `
COPY (SELECT user_id, amount * 1.1::DOUBLE AS gross, latency
FROM read_json(${input}, format='newline_delimited', ${columns}) WHERE status = 'ok' AND latency > 30)
TO ${output} (FORMAT json)`,
    ({ input, output }) => `
COPY (SELECT user_id, amount * 1.1::DOUBLE AS gross, latency
FROM read_json(${input}, format='newline_delimited', ${columns}) WHERE latency > 30 AND status = 'ok')
TO ${output} (FORMAT json)`,
  ],
  key: ['user_id', 'latency', 'gross'],
  exact: [],
  doubles: [],
  bars: [{ peer: 'duckdb', min: 2.0, percentile: 20 }],
}
