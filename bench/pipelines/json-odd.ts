import { clickFile } from '../lib/click-files.ts'
import type { PipelineBench } from './definition.ts'
import { jsonTumble } from './json-tumble.ts'

/** The same windows over records of which a fifth has another shape: key order, escapes, nulls, nesting, exponents. */
export const jsonOdd: PipelineBench = {
  ...jsonTumble,
  name: 'json-odd',
  data: (records, directory) => clickFile('clicks-odd', records, directory),
  drawn: undefined,
  bars: [{ peer: 'duckdb', min: 1.2, percentile: 20 }],
}
