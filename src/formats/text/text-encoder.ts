import type { Batch } from '../../core/batch.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import type { Encoder, EncoderSpec } from '../encoder.ts'
import { EncoderOutput } from '../encoder-output.ts'

/** `text`: the one STRING column, a line per row (NULL: an empty line). `raw`: the octets of the one BYTES column. */
export function createTextEncoder(format: 'text' | 'raw', spec: EncoderSpec, memory: WorkerMemory): Encoder {
  const [only, more] = spec.schema.fields
  const fits = more === undefined && !spec.changes && only?.type.kind === (format === 'text' ? 'string' : 'bytes')
  if (!fits) {
    throw new HeadraceError(
      'connector_schema_mismatch',
      `format "${format}" writes one column of type ${format === 'text' ? 'STRING' : 'BYTES'}`,
      {
        hint: 'Select that column only, or choose another format.',
      },
    )
  }
  return new TextEncoderOfRows(format === 'text' ? 10 : -1, memory)
}

class TextEncoderOfRows implements Encoder {
  readonly #separator: number
  readonly #memory: WorkerMemory
  readonly #output: EncoderOutput

  constructor(separator: number, memory: WorkerMemory) {
    this.#separator = separator
    this.#memory = memory
    this.#output = new EncoderOutput(memory)
  }

  get rowEnds(): Uint32Array {
    return this.#output.rowEnds
  }

  header(): Uint8Array {
    return new Uint8Array(0)
  }

  encode(batch: Batch): Uint8Array {
    const output = this.#output
    output.begin(batch.rows)
    const column = batch.columns[0]!
    let used = 0
    for (let row = 0; row < batch.rows; row++) {
      const span = spanOf(column, row)
      if (used + span.length + 1 > output.size) output.grow(used, used + span.length + 1)
      this.#memory.bytes.set(span, output.address + used)
      used += span.length
      if (this.#separator >= 0) this.#memory.bytes[output.address + used++] = this.#separator
      output.rowEnds[row] = used
    }
    return this.#memory.bytes.subarray(output.address, output.address + used)
  }

  [Symbol.dispose](): void {
    this.#output[Symbol.dispose]()
  }
}

const NOTHING = new Uint8Array(0)

function spanOf(column: Batch['columns'][number], row: number): Uint8Array {
  if (column.validity !== undefined && column.validity[row] === 0) return NOTHING
  if (column.kind === 'dict') {
    const code = column.codes[row]!
    const { spans, bytes } = column.dictionary
    return bytes.subarray(spans[2 * code]!, spans[2 * code]! + spans[2 * code + 1]!)
  }
  if (column.kind !== 'utf8') return NOTHING
  const start = column.spans[2 * row]!
  return column.bytes.subarray(start, start + column.spans[2 * row + 1]!)
}
