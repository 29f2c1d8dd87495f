import type { Batch } from '../../core/batch.ts'
import type { Column } from '../../core/column.ts'
import type { Schema } from '../../core/types.ts'
import { columnAt, type ExprContext } from '../interpret.ts'
import type { Loop, LoopCode, LoopSpec } from '../loop.ts'
import { emit } from './emit.ts'
import { isWideLane, Leaves, layoutOf } from './leaves.ts'
import { Source } from './source.ts'

type Generated = (
  leaves: readonly (Column | undefined)[],
  bounds: readonly unknown[],
  batch: Batch,
  range: { from: number; to: number; selection: Int32Array | undefined },
  failed: number[],
) => number

interface Variant {
  readonly paths: readonly (readonly number[])[]
  readonly layouts: readonly number[]
  readonly readers: readonly (() => unknown)[]
  readonly run: Generated
  readonly source: string
}

const ROW = 'row$'
const POSITION = 'position$'
const REDO = `{ stop$ = ${POSITION}; break rows$ }`
const MARK = `{ failed.push(${ROW}); continue rows$ }`

/**
 * A loop over batches of one schema. The text is generated at the first batch and again for each new layout of the
 * columns that it reads (kind, NULLs present): some 25 µs each. A batch whose columns need the wide lane is left to the
 * interpreter row by row.
 */
export function buildLoop(spec: LoopSpec, input: Schema, context: ExprContext): Loop {
  return new GeneratedLoop(spec, input, context)
}

class GeneratedLoop implements Loop {
  readonly failed: number[] = []
  readonly #spec: LoopSpec
  readonly #input: Schema
  readonly #context: ExprContext
  readonly #variants: Variant[] = []
  #latest: Variant | undefined
  /** The batch that was found to need the wide lane: its rows are asked for one by one. */
  #wideBatch: Batch | undefined

  constructor(spec: LoopSpec, input: Schema, context: ExprContext) {
    this.#spec = spec
    this.#input = input
    this.#context = context
  }

  get source(): string {
    return this.#latest?.source ?? ''
  }

  clear(): void {
    this.failed.length = 0
  }

  run(batch: Batch, from: number, to: number, selection?: Int32Array): number {
    if (from >= to) return to
    if (batch === this.#wideBatch) return from
    const variant = this.#variantFor(batch)
    const leaves = variant.paths.map((path) => columnAt(batch, path))
    this.#wideBatch = leaves.some(isWideLane) ? batch : undefined
    if (this.#wideBatch !== undefined) return from
    const bounds = variant.readers.map(call)
    return variant.run(leaves, bounds, batch, { from, to, selection }, this.failed)
  }

  #variantFor(batch: Batch): Variant {
    if (this.#latest !== undefined && fits(this.#latest, batch)) return this.#latest
    let variant = this.#variants.find((known) => fits(known, batch))
    if (variant === undefined) {
      variant = this.#generate(batch)
      this.#variants.push(variant)
    }
    this.#latest = variant
    return variant
  }

  #generate(batch: Batch): Variant {
    const source = new Source()
    const leaves = new Leaves({ ...batch, schema: this.#input }, source, ROW)
    const failRow = this.#spec.failures === 'redo' ? REDO : MARK
    const control = { skipRow: 'continue rows$', failRow, redoRow: REDO }
    const at = { source, leaves, control, row: ROW, context: this.#context }
    const code: LoopCode = {
      ...control,
      row: ROW,
      position: POSITION,
      evaluate: (expr) => emit(expr, at),
      line: (statement) => source.line(statement),
      before: (statement) => source.before(statement),
      after: (statement) => source.after(statement),
      name: (hint) => source.name(hint),
      constant: (value) => source.constant(value),
      bound: (read) => source.bound(read),
    }
    this.#spec.body(code)
    const text = textOf(source, leaves, this.#spec.rows)
    // The text consists of generated names, numbers and fixed words only; constants travel in an array.
    const make = new Function('constants', `'use strict'\nreturn ${text}`) as (
      constants: readonly unknown[],
    ) => Generated
    const { paths, layouts } = leaves
    const run = make(source.constants)
    const { readers } = source
    const columns = paths.map((path) => columnAt(batch, path))
    for (let i = 0; i < WARM_CALLS; i++) run(columns, readers.map(call), batch, NO_ROWS, this.failed)
    return { paths, layouts, readers, run, source: text }
  }
}

const call = (read: () => unknown): unknown => read()

/**
 * Calls over no rows, so that V8 has seen what stands around the loop before it compiles the loop in its first long
 * run; else it leaves that code at the end of every run.
 */
const WARM_CALLS = 12
const NO_ROWS = { from: 0, to: 0, selection: undefined }

const fits = (variant: Variant, batch: Batch): boolean =>
  variant.paths.every((path, i) => layoutOf(columnAt(batch, path)) === variant.layouts[i])

function textOf(source: Source, leaves: Leaves, rows: LoopSpec['rows']): string {
  return [
    'function loop(leaves, bounds, batch, range, failed) {',
    'const { from, to, selection } = range',
    ...source.constants.map((_value, i) => `const k$${i} = constants[${i}]`),
    ...source.readers.map((_read, i) => `const b$${i} = bounds[${i}]`),
    ...leaves.prologue(),
    ...source.beforeLines,
    'let stop$ = to',
    `rows$: for (let ${POSITION} = from; ${POSITION} < to; ${POSITION}++) {`,
    `const ${ROW} = ${rows === 'range' ? POSITION : `selection[${POSITION}]`}`,
    ...source.body,
    '}',
    ...source.afterLines,
    'return stop$',
    '}',
  ].join('\n')
}
