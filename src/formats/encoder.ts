import type { Batch } from '../core/batch.ts'
import type { Schema } from '../core/types.ts'
import type { CsvOptions } from './decoder.ts'

/**
 * Batches → bytes. `encode` appends the rows to the encoder's output region in the worker's memory; the view that it
 * returns is valid until the next call. Rows of a changelog carry `_op` as first column when the spec says so.
 */
export interface Encoder extends Disposable {
  /** Bytes before the first row (a CSV header), or empty. */
  header(): Uint8Array
  encode(batch: Batch): Uint8Array
  /** End of row i in the bytes just returned (exclusive), for sinks that need record borders. */
  readonly rowEnds: Uint32Array
}

export interface EncoderSpec {
  readonly schema: Schema
  /** Put `_op` (`+I`, `-U`, `+U`, `-D`) first in every row. */
  readonly changes: boolean
  readonly kernels: 'on' | 'off'
  /** `string`: decimals are quoted. */
  readonly decimalAs: 'number' | 'string'
  /** csv and tsv: delimiter, quote, header, null; defaults where absent. */
  readonly csv?: Partial<CsvOptions> | undefined
}
