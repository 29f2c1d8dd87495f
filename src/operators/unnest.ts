import type { Batch } from '../core/batch.ts'
import { CHANGE, type ChangeCode } from '../core/change.ts'
import { valueAt } from '../core/column-read.ts'
import { BatchBuilder } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { BoundExpr } from '../expr/bound.ts'
import { RowFailure } from '../expr/functions.ts'
import { type Evaluator, interpret } from '../expr/interpret.ts'
import { keepProvenance } from './keep-rows.ts'
import type { Operator, OperatorContext, Output } from './operator.ts'

export interface UnnestSpec {
  /** The input's columns, the element's columns, then the ordinality. */
  readonly output: Schema
  readonly list: BoundExpr
  /** Struct elements give their fields as columns. */
  readonly spread: boolean
  readonly ordinality: boolean
  /** A row without elements gives one row of NULLs. */
  readonly outer: boolean
}

/** CROSS JOIN UNNEST: one row per element of an array, a map (key, value) or a JSON array. */
export class Unnest implements Operator {
  readonly schema: Schema
  readonly #spec: UnnestSpec
  readonly #context: OperatorContext
  readonly #list: Evaluator
  readonly #builder: BatchBuilder
  readonly #width: number
  /** Input row of each row that has been built. */
  readonly #from: number[] = []

  constructor(spec: UnnestSpec, context: OperatorContext) {
    this.schema = spec.output
    this.#spec = spec
    this.#context = context
    this.#list = interpret(spec.list, context)
    this.#builder = new BatchBuilder(spec.output, context.batchRows, context.memory)
    this.#width = elementWidth(spec)
  }

  *process(batch: Batch): Iterable<Output> {
    let from = 0
    for (const mark of batch.marks ?? []) {
      yield* this.#rows(batch, from, mark.row)
      from = mark.row
      yield { kind: 'watermark', micros: mark.watermark }
    }
    yield* this.#rows(batch, from, batch.rows)
  }

  *#rows(batch: Batch, from: number, to: number): Iterable<Output> {
    this.#builder.reset()
    this.#from.length = 0
    for (let row = from; row < to; row++) {
      const elements = this.#elements(batch, row)
      if (elements === undefined) continue
      const change = (batch.changes?.[row] ?? CHANGE.insert) as ChangeCode
      const values = batch.columns.map((column) => valueAt(column, row))
      for (const [i, element] of elements.entries()) {
        const ordinal = this.#spec.ordinality ? [element === NO_ELEMENT ? null : i + 1] : []
        this.#builder.append([...values, ...this.#columnsOf(element), ...ordinal], change)
        this.#from.push(row)
        if (this.#builder.full) yield* this.#give(batch)
      }
    }
    yield* this.#give(batch)
  }

  /** What has been built of `batch`: each element stands where its row stood. */
  *#give(batch: Batch): Iterable<Output> {
    if (this.#builder.rows === 0) return
    const from = this.#from
    const watermarks =
      batch.watermarks === undefined ? undefined : Float64Array.from(from, (row) => batch.watermarks![row]!)
    const provenance = batch.provenance === undefined ? undefined : keepProvenance(batch.provenance, from)
    yield { kind: 'batch', batch: { ...this.#builder.finish(provenance), watermarks } }
    this.#builder.reset()
    from.length = 0
  }

  /** Elements of a row's list; undefined when the row failed. */
  #elements(batch: Batch, row: number): readonly Element[] | undefined {
    try {
      const list = this.#list(batch, row)
      const elements = elementsOf(list, this.#spec.list.type.kind === 'json')
      return elements.length === 0 && this.#spec.outer ? [NO_ELEMENT] : elements
    } catch (failure) {
      if (!(failure instanceof RowFailure)) throw failure
      const { code, detail, span } = failure
      this.#context.onRowError({ code, detail, span, batch, row })
      return undefined
    }
  }

  #columnsOf(element: Element): readonly Value[] {
    if (element === NO_ELEMENT) return new Array<Value>(this.#width).fill(null)
    if (this.#spec.list.type.kind === 'map') return element as readonly Value[]
    if (!this.#spec.spread) return [element as Value]
    return element === null ? new Array<Value>(this.#width).fill(null) : (element as readonly Value[])
  }

  *onWatermark(micros: number): Iterable<Output> {
    yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  [Symbol.dispose](): void {
    this.#builder[Symbol.dispose]()
  }
}

const NO_ELEMENT = Symbol('no element')
type Element = Value | typeof NO_ELEMENT

function elementsOf(list: Value, isJson: boolean): readonly Value[] {
  if (list === null) return []
  if (list instanceof Map) return [...list]
  if (!isJson) return list as readonly Value[]
  return jsonElements(list as string)
}

/** The elements of a JSON array as JSON texts; anything else has none. */
function jsonElements(text: string): readonly Value[] {
  if (!text.trimStart().startsWith('[')) return []
  const elements: string[] = []
  let depth = 0
  let start = -1
  for (let i = text.indexOf('['); i < text.length; i++) {
    const c = text[i]!
    if (c === '"') {
      if (start < 0) start = i
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++
    } else if (c === '[' || c === '{') {
      if (depth++ > 0 && start < 0) start = i
    } else if (c === ']' || c === '}') {
      if (--depth === 0 && start >= 0) elements.push(text.slice(start, i).trim())
    } else if (c === ',' && depth === 1) {
      elements.push(text.slice(start, i).trim())
      start = -1
    } else if (start < 0 && !/\s/.test(c)) start = i
  }
  return elements
}

function elementWidth(spec: UnnestSpec): number {
  const { type } = spec.list
  if (type.kind === 'map') return 2
  if (type.kind === 'array' && spec.spread && type.element.kind === 'struct') return type.element.fields.length
  return 1
}
