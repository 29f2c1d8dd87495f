import type { Batch, Mark, Provenance } from '../core/batch.ts'
import type { Column } from '../core/column.ts'
import { assert } from '../core/errors.ts'
import type { WorkerMemory } from '../core/memory.ts'
import { Scratch } from '../core/scratch.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { BoundExpr } from './bound.ts'
import { buildLoop } from './compile/build-loop.ts'
import { type RowErrorCode, RowFailure } from './functions.ts'
import { Gather, type Kept } from './gather.ts'
import { columnAt, columnPath, type Evaluator, type ExprContext, interpret } from './interpret.ts'
import type { Loop, LoopCode } from './loop.ts'
import { OutputColumn } from './output-column.ts'
import { emitRow } from './project-loop.ts'

export interface RowProgramSpec {
  readonly filters: readonly BoundExpr[]
  /** One per field of `output`. */
  readonly outputs: readonly BoundExpr[]
  readonly input: Schema
  readonly output: Schema
  readonly mode: 'compiled' | 'interpreted'
  readonly deps: ExprContext & { readonly memory: WorkerMemory }
  /** `null`: an output that fails is NULL and its row is kept; default `drop`: a row that fails is left out. */
  readonly onFailure?: 'drop' | 'null' | undefined
}

export interface ProgramFailure {
  readonly row: number
  readonly code: RowErrorCode
  readonly detail: string
  readonly span: { readonly start: number; readonly end: number } | undefined
  /** True when the row went on with NULL in place of the output that failed. */
  readonly kept: boolean
}

export interface ProgramResult {
  /** Undefined when no row is left; the marks of the input are then the caller's to pass on as watermarks. */
  readonly batch: Batch | undefined
  /** In ascending order of rows. */
  readonly failures: readonly ProgramFailure[]
}

/** An output that is computed, and where its values go. */
export interface Computed {
  readonly expr: BoundExpr
  readonly column: OutputColumn
}

/** Rows that the interpreter took before the rest of a batch is left to it. */
const REDONE_MAX = 32

/**
 * Filters and projects batches: rows for which every filter is true (evaluated left to right), then the outputs, dense.
 * Outputs that are columns or fields of columns are passed through, without copying when every row is kept. The columns
 * that `run` returns are valid until the next call.
 */
export class RowProgram implements Disposable {
  /** Rows kept so far of the batch at hand; generated loops read and write it. */
  count = 0
  kept = new Int32Array(0)
  readonly computed: readonly Computed[]
  readonly #spec: RowProgramSpec
  readonly #filters: readonly Evaluator[]
  readonly #values: readonly Evaluator[]
  readonly #passed: readonly (readonly number[] | undefined)[]
  readonly #gathers: readonly Gather[]
  readonly #changes: Gather
  readonly #loop: Loop | undefined
  /** Texts that the loop computes; kept until the next batch. */
  readonly #scratch: Scratch
  #failures: ProgramFailure[] = []
  /** `Provenance.rows` of a batch whose input had left out rows already. */
  #before = new Int32Array(0)

  constructor(spec: RowProgramSpec) {
    const { filters, outputs, deps } = spec
    this.#spec = spec
    this.#passed = outputs.map(columnPath)
    this.computed = outputs
      .filter((_output, i) => this.#passed[i] === undefined)
      .map((expr) => ({ expr, column: new OutputColumn(expr.type, deps.memory) }))
    this.#filters = filters.map((filter) => interpret(filter, deps))
    this.#values = this.computed.map(({ expr }) => interpret(expr, deps))
    this.#gathers = outputs.map(() => new Gather(deps.memory))
    this.#changes = new Gather(deps.memory)
    this.#scratch = new Scratch(deps.memory)
    if (spec.mode === 'compiled' && (filters.length > 0 || this.computed.length > 0)) {
      const failures = spec.onFailure === 'null' ? 'redo' : 'mark'
      const body = (code: LoopCode) => emitRow(code, filters, this)
      this.#loop = buildLoop({ rows: 'range', failures, body }, spec.input, {
        current: deps.current,
        scratch: this.#scratch,
      })
    }
  }

  /** Text of the generated loop, for EXPLAIN; empty before the first batch and in interpreted mode. */
  get source(): string {
    return this.#loop?.source ?? ''
  }

  run(batch: Batch): ProgramResult {
    this.#failures = []
    this.count = 0
    const { filters } = this.#spec
    if (filters.length === 0 && this.computed.length === 0) return { batch: this.#output(batch), failures: [] }
    if (this.kept.length < batch.rows) this.kept = new Int32Array(batch.rows)
    for (const { column } of this.computed) column.reserve(batch.rows)
    this.#scratch.reset()
    this.#runRows(batch)
    const failures = this.#failures.sort((a, b) => a.row - b.row)
    return { batch: this.count === 0 ? undefined : this.#output(batch), failures }
  }

  #runRows(batch: Batch): void {
    const loop = this.#loop
    let at = 0
    let redone = 0
    while (loop !== undefined && at < batch.rows && redone <= REDONE_MAX) {
      at = loop.run(batch, at, batch.rows)
      if (at < batch.rows) {
        this.#interpretRow(batch, at++)
        redone++
      }
    }
    while (at < batch.rows) this.#interpretRow(batch, at++)
    if (loop === undefined || loop.failed.length === 0) return
    for (const row of loop.failed) this.#explainFailure(batch, row)
    loop.clear()
  }

  /** A row that the loop marked: the interpreter says what was wrong. */
  #explainFailure(batch: Batch, row: number): void {
    const before = this.#failures.length
    const { count } = this
    this.#interpretRow(batch, row)
    assert(this.count === count && this.#failures.length === before + 1, 'a generated loop failed a row that is good')
  }

  #interpretRow(batch: Batch, row: number): void {
    const values: Value[] = []
    try {
      for (const filter of this.#filters) if (filter(batch, row) !== true) return
      for (const value of this.#values) values.push(this.#value(value, batch, row))
    } catch (failure) {
      this.#fail(failure, row, false)
      return
    }
    values.forEach((value, i) => {
      this.computed[i]!.column.set(this.count, value)
    })
    this.kept[this.count++] = row
  }

  #value(evaluate: Evaluator, batch: Batch, row: number): Value {
    if (this.#spec.onFailure !== 'null') return evaluate(batch, row)
    try {
      return evaluate(batch, row)
    } catch (failure) {
      this.#fail(failure, row, true)
      return null
    }
  }

  #fail(failure: unknown, row: number, kept: boolean): void {
    if (!(failure instanceof RowFailure)) throw failure
    const { code, detail, span } = failure
    this.#failures.push({ row, code, detail, span, kept })
  }

  #output(batch: Batch): Batch {
    const all = this.computed.length === 0 && this.#spec.filters.length === 0
    const rows = all ? batch.rows : this.count
    const kept: Kept | undefined = rows === batch.rows ? undefined : { rows: this.kept, count: rows }
    let next = 0
    const columns = this.#passed.map((path, i): Column => {
      if (path === undefined) return this.computed[next++]!.column.finish(rows)
      const column = columnAt(batch, path)
      assert(column !== undefined, 'a field of a struct has no column')
      return kept === undefined ? column : this.#gathers[i]!.column(column, kept)
    })
    return { schema: this.#spec.output, rows, columns, ...this.#rowFacts(batch, kept) }
  }

  /** Changes, marks and watermarks of the kept rows, and where they came from. */
  #rowFacts(batch: Batch, kept: Kept | undefined): Pick<Batch, 'changes' | 'marks' | 'watermarks' | 'provenance'> {
    const { changes, marks, watermarks, provenance } = batch
    if (kept === undefined) return { changes, marks, watermarks, provenance }
    return {
      changes: changes && this.#changes.bytes(0, changes, kept),
      marks: marks && keptMarks(marks, kept),
      watermarks: watermarks && Float64Array.from({ length: kept.count }, (_, i) => watermarks[kept.rows[i]!]!),
      provenance: provenance && { ...provenance, rows: this.#rowsBefore(provenance, kept) },
    }
  }

  /** Where the kept rows stand in the arrays of the provenance. */
  #rowsBefore({ rows }: Provenance, kept: Kept): Int32Array {
    if (rows === undefined) return kept.rows
    if (this.#before.length < kept.count) this.#before = new Int32Array(kept.rows.length)
    for (let i = 0; i < kept.count; i++) this.#before[i] = rows[kept.rows[i]!]!
    return this.#before
  }

  [Symbol.dispose](): void {
    for (const { column } of this.computed) column[Symbol.dispose]()
    for (const gather of this.#gathers) gather[Symbol.dispose]()
    this.#changes[Symbol.dispose]()
    this.#scratch[Symbol.dispose]()
  }
}

/** Marks keep their place between the rows that are left. */
function keptMarks(marks: readonly Mark[], { rows, count }: Kept): Mark[] {
  let at = 0
  return marks.map(({ row, watermark }) => {
    while (at < count && rows[at]! < row) at++
    return { row: at, watermark }
  })
}
