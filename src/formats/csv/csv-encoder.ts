import type { Batch } from '../../core/batch.ts'
import { changeSymbols } from '../../core/change.ts'
import { valueAt } from '../../core/column-read.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import type { DataType, Field } from '../../core/types.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import { PUT } from '../../kernels/row-program.ts'
import type { CsvOptions } from '../decoder.ts'
import type { Encoder, EncoderSpec } from '../encoder.ts'
import { EncoderOutput } from '../encoder-output.ts'
import { type LayoutStep, RowEncoder } from '../row-encoder.ts'
import { csvOptions, dialectOf } from './csv-options.ts'
import { csvText, quoteField } from './csv-text.ts'

/** Batches → csv or tsv. NULL is the text of the `null` option, unquoted; a value that equals it is quoted. */
export function createCsvEncoder(
  format: 'csv' | 'tsv',
  spec: EncoderSpec,
  deps: { readonly memory: WorkerMemory; readonly kernels: Kernels },
): Encoder {
  const options = csvOptions(spec.csv, format)
  if (options.quote === '') {
    throw new HeadraceError('connector_option_invalid', 'option "quote" must not be empty for a target', {
      hint: 'Fields that hold the delimiter could not be written.',
    })
  }
  if (spec.kernels === 'off' || deps.kernels.mode === 'off') return new CsvTwin(spec, options, deps.memory)
  return new CsvEncoder(spec, options, deps.kernels)
}

function headerOf(spec: EncoderSpec, options: CsvOptions): Uint8Array {
  if (!options.header) return new Uint8Array(0)
  const names = [...(spec.changes ? ['_op'] : []), ...spec.schema.fields.map((f) => f.name)]
  return Buffer.from(`${names.map((name) => quoteField(name, options)).join(options.delimiter)}\n`)
}

/** Runs the compiled row encoder in the CSV dialect. */
class CsvEncoder implements Encoder {
  readonly #rows: RowEncoder
  readonly #header: Uint8Array

  constructor(spec: EncoderSpec, options: CsvOptions, kernels: Kernels) {
    const { delimiter, quote, escape: escapeByte } = dialectOf(options)
    this.#header = headerOf(spec, options)
    const dialect = {
      kinds: { utf8: PUT.csvText, dict: PUT.csvCodes, json: PUT.csvText },
      textOf: (type: DataType) => (value: Parameters<typeof csvText>[0]) => csvText(value, type),
      nullText: options.null,
      quotedChange: false,
      quoted: () => false,
      delimiter,
      quote,
      escapeByte,
    }
    this.#rows = new RowEncoder(layoutOf(spec, options.delimiter), dialect, kernels)
  }

  get rowEnds(): Uint32Array {
    return this.#rows.output.rowEnds
  }

  header(): Uint8Array {
    return this.#header
  }

  encode(batch: Batch): Uint8Array {
    return this.#rows.encode(batch)
  }

  [Symbol.dispose](): void {
    this.#rows[Symbol.dispose]()
  }
}

function layoutOf(spec: EncoderSpec, delimiter: string): LayoutStep[] {
  const steps: LayoutStep[] = []
  if (spec.changes) steps.push({ kind: 'change', literal: '' })
  spec.schema.fields.forEach((f, i) => {
    steps.push({ kind: 'value', literal: steps.length === 0 ? '' : delimiter, column: [i], type: f.type })
  })
  steps.push({ kind: 'end', literal: '\n' })
  return steps
}

/** The same rows in TypeScript. */
class CsvTwin implements Encoder {
  readonly #spec: EncoderSpec
  readonly #options: CsvOptions
  readonly #output: EncoderOutput

  constructor(spec: EncoderSpec, options: CsvOptions, memory: WorkerMemory) {
    dialectOf(options)
    this.#spec = spec
    this.#options = options
    this.#output = new EncoderOutput(memory)
  }

  get rowEnds(): Uint32Array {
    return this.#output.rowEnds
  }

  header(): Uint8Array {
    return headerOf(this.#spec, this.#options)
  }

  encode(batch: Batch): Uint8Array {
    return this.#output.lines(batch.rows, (row) => this.#row(batch, row))
  }

  [Symbol.dispose](): void {
    this.#output[Symbol.dispose]()
  }

  #row(batch: Batch, row: number): string {
    const op = this.#spec.changes ? [changeSymbols[batch.changes?.[row] ?? 0]!] : []
    const fields = this.#spec.schema.fields.map((f: Field, i) => {
      const value = valueAt(batch.columns[i]!, row)
      if (value === null) return this.#options.null
      const text = csvText(value, f.type)
      return isBare(f.type) ? text : quoteField(text, this.#options)
    })
    return `${[...op, ...fields].join(this.#options.delimiter)}\n`
  }
}

/** Types that the kernel writes without looking for quotes. */
function isBare(type: DataType): boolean {
  switch (type.kind) {
    case 'string':
    case 'json':
    case 'interval':
    case 'array':
    case 'map':
    case 'struct':
      return false
    default:
      return true
  }
}
