import type { Batch } from '../../core/batch.ts'
import { changeSymbols } from '../../core/change.ts'
import { valueAt } from '../../core/column-read.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import type { DataType, Field } from '../../core/types.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import { PUT } from '../../kernels/row-program.ts'
import type { Encoder, EncoderSpec } from '../encoder.ts'
import { EncoderOutput } from '../encoder-output.ts'
import { type LayoutStep, type RowDialect, RowEncoder } from '../row-encoder.ts'
import { jsonText } from './json-text.ts'

export interface EncoderDeps {
  readonly memory: WorkerMemory
  readonly kernels: Kernels
}

/** Batches → one JSON object per line, in the JSON forms of sql.md §2. */
export function createJsonLinesEncoder(spec: EncoderSpec, deps: EncoderDeps): Encoder {
  if (spec.kernels === 'off' || deps.kernels.mode === 'off') return new JsonLinesTwin(spec, deps)
  return new JsonLinesEncoder(spec, deps)
}

class JsonLinesEncoder implements Encoder {
  readonly #rows: RowEncoder

  constructor(spec: EncoderSpec, deps: EncoderDeps) {
    this.#rows = new RowEncoder(layoutOf(spec), dialectOf(spec), deps.kernels)
  }

  get rowEnds(): Uint32Array {
    return this.#rows.output.rowEnds
  }

  header(): Uint8Array {
    return new Uint8Array(0)
  }

  encode(batch: Batch): Uint8Array {
    return this.#rows.encode(batch)
  }

  [Symbol.dispose](): void {
    this.#rows[Symbol.dispose]()
  }
}

function dialectOf(spec: EncoderSpec): RowDialect {
  return {
    kinds: { utf8: PUT.string, dict: PUT.codes, json: PUT.raw },
    textOf: (type) => (value) => jsonText(value, type, spec.decimalAs),
    nullText: 'null',
    quotedChange: true,
    quoted: (type) => type.kind !== 'decimal' || spec.decimalAs === 'string',
    delimiter: 0,
    quote: 0,
    escapeByte: 0,
  }
}

function layoutOf(spec: EncoderSpec): LayoutStep[] {
  const steps: LayoutStep[] = []
  if (spec.changes) steps.push({ kind: 'change', literal: '{"_op":' })
  addFields(steps, spec.schema.fields, [], spec.changes ? ',' : '{')
  steps.push({ kind: 'end', literal: spec.schema.fields.length === 0 && !spec.changes ? '{}\n' : '}\n' })
  return steps
}

/** Steps of an object's fields; its closing brace is the caller's. */
function addFields(steps: LayoutStep[], fields: readonly Field[], path: readonly number[], opening: string): void {
  fields.forEach((f, i) => {
    const literal = `${i === 0 ? opening : ','}${JSON.stringify(f.name)}:`
    const column = [...path, i]
    if (f.type.kind !== 'struct') {
      steps.push({ kind: 'value', literal, column, type: f.type })
      return
    }
    const inner: LayoutStep[] = []
    addFields(inner, f.type.fields, column, '{')
    inner.push({ kind: 'constant', literal: f.type.fields.length === 0 ? '{}' : '}' })
    steps.push({ kind: 'struct', literal, column, skip: inner.length }, ...inner)
  })
}

/** The same rows by JSON.stringify and friends. */
class JsonLinesTwin implements Encoder {
  readonly #spec: EncoderSpec
  readonly #output: EncoderOutput

  constructor(spec: EncoderSpec, deps: EncoderDeps) {
    this.#spec = spec
    this.#output = new EncoderOutput(deps.memory)
  }

  get rowEnds(): Uint32Array {
    return this.#output.rowEnds
  }

  header(): Uint8Array {
    return new Uint8Array(0)
  }

  encode(batch: Batch): Uint8Array {
    return this.#output.lines(batch.rows, (row) => `${this.#row(batch, row)}\n`)
  }

  [Symbol.dispose](): void {
    this.#output[Symbol.dispose]()
  }

  #row(batch: Batch, row: number): string {
    const { schema, changes, decimalAs } = this.#spec
    const op = changes ? [`"_op":"${changeSymbols[batch.changes?.[row] ?? 0]!}"`] : []
    const pairs = schema.fields.map((f, i) => {
      const text = jsonText(valueAt(batch.columns[i]!, row), f.type, decimalAs)
      return `${JSON.stringify(f.name)}:${oneLine(text, f.type)}`
    })
    return `{${[...op, ...pairs].join(',')}}`
  }
}

/** Line breaks between the tokens of JSON text become blanks. */
const oneLine = (text: string, type: DataType): string =>
  type.kind === 'json' ? text.replace(/[\u0000-\u001f]/g, ' ') : text
