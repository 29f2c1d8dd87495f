import { batchBench } from './chain/batch-bench.ts'
import { copyBench } from './copy/copy-bench.ts'
import { snapshotBench } from './core/snapshot-bench.ts'
import { uriBench } from './core/uri-bench.ts'
import type { Bench } from './lib/bench.ts'
import { libraryBench } from './library/library-bench.ts'
import { namingBench } from './library/naming-bench.ts'
import { checkpointBench } from './pipelines/checkpoint-bench.ts'
import { csvTumble } from './pipelines/csv-tumble.ts'
import { jsonOdd } from './pipelines/json-odd.ts'
import { jsonProject } from './pipelines/json-project.ts'
import { jsonTumble } from './pipelines/json-tumble.ts'
import { pipelineBench } from './pipelines/run-pipeline.ts'
import { serviceBench } from './service/service-bench.ts'
import { startBench } from './start/start-bench.ts'
import { tailBench } from './tail/tail-bench.ts'

/** Every benchmark there is. */
export const benches: readonly Bench[] = [
  ...[jsonTumble, jsonProject, csvTumble, jsonOdd].map(pipelineBench),
  batchBench,
  checkpointBench,
  copyBench,
  libraryBench,
  namingBench,
  serviceBench,
  snapshotBench,
  startBench,
  tailBench,
  uriBench,
]
