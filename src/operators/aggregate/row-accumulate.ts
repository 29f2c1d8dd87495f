import type { Batch } from '../../core/batch.ts'
import { adds } from '../../core/change.ts'
import type { Value } from '../../core/values.ts'
import type { BoundAggregate } from '../../expr/bound.ts'
import { buildLoop } from '../../expr/compile/build-loop.ts'
import { isFallible } from '../../expr/fallible.ts'
import { RowFailure } from '../../expr/functions.ts'
import { type Evaluator, interpret } from '../../expr/interpret.ts'
import type { Loop, LoopCode, Operand } from '../../expr/loop.ts'
import type { AccumulatorKind, StepNames } from '../aggregates/accumulator.ts'
import type { OperatorContext } from '../operator.ts'
import { cellOffsets, type Pane } from './pane.ts'
import type { GroupSpec } from './spec.ts'

interface Call {
  readonly filter: Evaluator | undefined
  readonly args: readonly Evaluator[]
  readonly order: readonly Evaluator[]
}

/** Second half of a grouping: rows that have a slot are added to the accumulators of their pane. */
export class RowAccumulate {
  readonly #spec: GroupSpec
  readonly #kinds: readonly AccumulatorKind[]
  readonly #context: OperatorContext
  readonly #slots: Int32Array
  readonly #calls: readonly Call[]
  readonly #loop: Loop | undefined
  /** Groups may have no row: rows can be taken back, or can fail after their group was made. Such are left out. */
  readonly mayBeEmpty: boolean
  readonly #offsets: readonly number[]
  #pane!: Pane

  constructor(spec: GroupSpec, kinds: readonly AccumulatorKind[], slots: Int32Array, context: OperatorContext) {
    this.#spec = spec
    this.#kinds = kinds
    this.#context = context
    this.#slots = slots
    this.#offsets = cellOffsets(kinds)
    this.mayBeEmpty =
      spec.retracts || spec.emission === 'changes' || spec.emission === 'update' || spec.aggregates.some(canFail)
    this.#calls = spec.aggregates.map((call) => ({
      filter: call.filter === undefined ? undefined : interpret(call.filter, context),
      args: call.args.map((arg) => interpret(arg, context)),
      order: call.orderBy.map((key) => interpret(key.expr, context)),
    }))
    const compiles = kinds.every((kind, i) => kind.emitAdd !== undefined && isPlain(spec.aggregates[i]!))
    if (context.mode === 'compiled' && compiles) {
      const failures = context.onExprError === 'null' ? 'redo' : 'mark'
      this.#loop = buildLoop({ rows: 'selection', failures, body: (code) => this.#emit(code) }, spec.input, context)
    }
  }

  /** Adds the rows at positions `from` … `to`; their slots are in the slot array. */
  add(batch: Batch, pane: Pane, rows: Int32Array, from: number, to: number): void {
    this.#pane = pane
    const loop = batch.changes === undefined ? this.#loop : undefined
    let at = from
    while (at < to) {
      if (loop === undefined) this.#interpretRow(batch, rows[at]!, at++)
      else {
        at = loop.run(batch, at, to, rows)
        if (at < to) this.#interpretRow(batch, rows[at]!, at++)
      }
    }
    if (loop !== undefined && loop.failed.length > 0) {
      for (const row of loop.failed) this.#reportFailure(batch, row)
      loop.clear()
    }
  }

  #emit(code: LoopCode): void {
    const slots = code.constant(this.#slots)
    const cells = code.bound(() => this.#pane.cells.data)
    code.line(`const slot = ${slots}[${code.position}]`)
    const steps = this.#spec.aggregates.map((call, i) => this.#emitArguments(code, call, i, cells))
    code.line(`const at = slot * ${this.#pane.cells.stride}`)
    code.line(`${cells}[at]++`)
    for (const step of steps) step()
  }

  /** All arguments are evaluated before anything is added: a row that fails adds nothing. */
  #emitArguments(code: LoopCode, call: BoundAggregate, index: number, cells: string): () => void {
    const kind = this.#kinds[index]!
    let self: string | undefined
    const names: StepNames = {
      slot: 'slot',
      cell: (cell) => `${cells}[at + ${this.#offsets[index]! + cell}]`,
      self: () => {
        self ??= code.bound(() => this.#pane.accumulators[index]!)
        return self
      },
    }
    if (call.filter === undefined) {
      const args = call.args.map((arg) => code.evaluate(arg))
      return () => kind.emitAdd!(code, args, names)
    }
    const passes = code.name('passes')
    const filter = code.evaluate(call.filter)
    code.line(`const ${passes} = ${filter.isNull === 'false' ? '' : `!(${filter.isNull}) && `}(${filter.value})`)
    const args = call.args.map((arg) => guarded(code, arg, passes))
    return () => {
      code.line(`if (${passes}) {`)
      kind.emitAdd!(code, args, names)
      code.line('}')
      if (this.#pane.accumulators[index]!.skip !== undefined) code.line(`else ${names.self()}.skip(slot, 1)`)
    }
  }

  #interpretRow(batch: Batch, row: number, position: number): void {
    const slot = this.#slots[position]!
    const inputs = this.#evaluate(batch, row)
    if (inputs === undefined) return
    const back = batch.changes !== undefined && !adds(batch.changes[row]!)
    const { cells } = this.#pane
    cells.data[slot * cells.stride]! += back ? -1 : 1
    inputs.forEach((input, i) => {
      const accumulator = this.#pane.accumulators[i]!
      if (input === undefined) accumulator.skip?.(slot, back ? -1 : 1)
      else if (back) accumulator.retract!(slot, input.args, input.order)
      else accumulator.add(slot, input.args, input.order)
    })
  }

  /** Arguments per call, undefined for calls whose FILTER leaves the row out; undefined when the row failed. */
  #evaluate(batch: Batch, row: number): ({ args: Value[]; order: Value[] } | undefined)[] | undefined {
    const failures: RowFailure[] = []
    const attempt = (evaluate: Evaluator): Value => {
      try {
        return evaluate(batch, row)
      } catch (failure) {
        if (!(failure instanceof RowFailure)) throw failure
        failures.push(failure)
        return null
      }
    }
    const inputs = this.#calls.map(({ filter, args, order }) => {
      if (filter !== undefined && attempt(filter) !== true) return undefined
      return { args: args.map(attempt), order: order.map(attempt) }
    })
    const [first] = failures
    if (first === undefined) return inputs
    const { code, detail, span } = first
    this.#context.onRowError({ code, detail, span, batch, row })
    return this.#context.onExprError === 'null' ? inputs : undefined
  }

  #reportFailure(batch: Batch, row: number): void {
    this.#evaluate(batch, row)
  }
}

const canFail = (call: BoundAggregate): boolean =>
  call.args.some(isFallible) || (call.filter !== undefined && isFallible(call.filter))

/** DISTINCT and ORDER BY inside a call have no compiled form. */
const isPlain = (call: BoundAggregate): boolean => !call.distinct && call.orderBy.length === 0

/** Evaluates an argument only for rows that pass. */
function guarded(code: LoopCode, arg: BoundAggregate['args'][number], passes: string): Operand {
  const value = code.name('arg')
  const isNull = code.name('null')
  code.line(`let ${value}, ${isNull} = true`)
  code.line(`if (${passes}) {`)
  const operand = code.evaluate(arg)
  code.line(`${isNull} = ${operand.isNull}; ${value} = ${operand.value}`)
  code.line('}')
  return { type: operand.type, value, isNull }
}
