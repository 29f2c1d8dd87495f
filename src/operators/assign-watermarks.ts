import type { Batch, Mark } from '../core/batch.ts'
import type { Column } from '../core/column.ts'
import { assert } from '../core/errors.ts'
import type { Schema } from '../core/types.ts'
import { type ExactInteger, exact } from '../core/values.ts'
import type { BoundExpr } from '../expr/bound.ts'
import { type Evaluator, interpret } from '../expr/interpret.ts'
import type { StateReader } from '../state/state-reader.ts'
import type { StateWriter } from '../state/state-writer.ts'
import { keepRows } from './keep-rows.ts'
import type { Operator, OperatorContext, Output, WatermarkGrid } from './operator.ts'

export interface WatermarkSpec {
  readonly schema: Schema
  /** Event-time column. */
  readonly column: number
  /** W = the largest value − delay. */
  readonly delayMicros: number
  /** W is the running maximum of this TIMESTAMP instead, when it is not of that form; NULL leaves W. */
  readonly expr: BoundExpr | undefined
  /** Rows further ahead of the clock are quarantined and move no watermark; undefined: none are. */
  readonly futureMicros: number | undefined
  /** Instants that operators further on asked for. */
  readonly grids: readonly WatermarkGrid[]
  /** Some operator wants the watermark of every row. */
  readonly everyRow: boolean
  /**
   * The rows take several ways that meet again: the batch is cut where the watermark crosses an instant, so that all
   * ways are at the same instant when the next rows come. The batch size would change results otherwise.
   */
  readonly cut: boolean
}

interface SplitState {
  /** Watermark of the split; −Infinity before its first row. */
  watermark: number
  finished: boolean
  /** It was empty for long: it holds nothing until its next row (rulings 26). */
  idle: boolean
}

/**
 * Keeps the watermark of every split, row by row, and puts marks into batches where the least of them crosses an
 * instant of a grid (rulings 23). Row i is judged against the rows before it. Cost per row: one load, one compare.
 */
export class AssignWatermarks implements Operator {
  readonly schema: Schema
  readonly #spec: WatermarkSpec
  readonly #context: OperatorContext
  readonly #expr: Evaluator | undefined
  readonly #splits = new Map<string, SplitState>()
  /** Largest time of the split at hand: a cell of its own, so that the loop over the rows stays plain. */
  readonly #top = new Float64Array(1)
  /** What has been sent on. */
  #sent = Number.NEGATIVE_INFINITY

  constructor(spec: WatermarkSpec, context: OperatorContext) {
    this.schema = spec.schema
    this.#spec = spec
    this.#context = context
    this.#expr = spec.expr === undefined ? undefined : interpret(spec.expr, context)
  }

  /** A split that will deliver rows; it holds the watermark until its first row. One that was restored goes on. */
  addSplit(id: string): void {
    if (this.#splits.has(id)) return
    this.#splits.set(id, { watermark: Number.NEGATIVE_INFINITY, finished: false, idle: false })
  }

  /** A split that had ended has got more: it holds the watermark again, which does not fall. */
  reopenSplit(id: string): void {
    const state = this.#splits.get(id)
    if (state === undefined) return
    state.finished = false
    state.idle = false
  }

  /** The split was proved empty for its idle timeout. When all are, the watermark stays. */
  *idleSplit(id: string): Iterable<Output> {
    const state = this.#splits.get(id)
    if (state === undefined) return
    state.idle = true
    yield* this.#advance(this.#least())
  }

  /** The split has ended: it no longer holds the watermark. */
  *finishSplit(id: string): Iterable<Output> {
    const state = this.#splits.get(id)
    if (state !== undefined) state.finished = true
    yield* this.#advance(this.#least())
  }

  /** Watermark of a split, for the choice of the one that is read next. */
  watermarkOf(id: string): number {
    return this.#splits.get(id)?.watermark ?? Number.NEGATIVE_INFINITY
  }

  *process(input: Batch): Iterable<Output> {
    const state = this.#splits.get(this.#context.current.split)
    assert(state !== undefined, `unknown split "${this.#context.current.split}"`)
    state.idle = false
    const batch = this.#timed(input)
    if (batch === undefined) return
    const others = this.#leastBut(state)
    const marks: Mark[] = []
    const everyRow = this.#spec.everyRow ? new Float64Array(batch.rows) : undefined
    this.#scan(batch, state, { others, marks, everyRow })
    if (this.#spec.cut) yield* pieces({ ...batch, watermarks: everyRow }, marks)
    else yield { kind: 'batch', batch: { ...batch, marks, watermarks: everyRow } }
    yield* this.#advance(Math.min(state.watermark, others))
  }

  /** The rows that have a time; the others are row errors. */
  #timed(batch: Batch): Batch | undefined {
    const column = batch.columns[this.#spec.column]!
    const { validity } = column
    const first = validity === undefined ? -1 : validity.indexOf(0)
    const future = this.#future(column, batch.rows)
    const isInexact = this.#inexact(column)
    if ((first < 0 || first >= batch.rows) && future === undefined && isInexact === undefined) return batch
    const name = this.schema.fields[this.#spec.column]!.name
    const kept: number[] = []
    for (let row = 0; row < batch.rows; row++) {
      if (validity !== undefined && validity[row] === 0) {
        const detail = `the event time "${name}" is NULL`
        this.#context.onRowError({ code: 'row_null_event_time', detail, span: undefined, batch, row })
      } else if (future !== undefined && future.times[row]! > future.latest) {
        const ahead = Math.round((future.times[row]! - this.#context.current.nowMicros) / 1_000_000)
        const detail = `the event time "${name}" is ${ahead} s ahead of the clock`
        this.#context.onRowError({ code: 'row_future_timestamp', detail, span: undefined, batch, row })
      } else if (isInexact?.(row) === true) {
        const detail = `"${name}" lies outside the years 1684 to 2255, where a watermark is a multiple of 32 µs; the window is not`
        this.#context.onRowError({ code: 'row_numeric_overflow', detail, span: undefined, batch, row })
      } else kept.push(row)
    }
    if (kept.length === batch.rows) return batch
    return kept.length === 0 ? undefined : keepRows(batch, kept)
  }

  /** True for times that the watermark of some window cannot tell apart; undefined when there are none. */
  #inexact(column: Column): ((row: number) => boolean) | undefined {
    const isFine = ({ periodMicros, phaseMicros }: WatermarkGrid) => periodMicros % 32 !== 0 || phaseMicros % 32 !== 0
    if (column.kind !== 'i64' || column.lane === 'safe' || !this.#spec.grids.some(isFine)) return undefined
    return (row) => typeof exact(column.data[row]!) === 'bigint'
  }

  /** The times of the batch and the latest one that the guard lets through; undefined when all may pass. */
  #future(column: Column, rows: number): { times: Float64Array; latest: number } | undefined {
    const { futureMicros } = this.#spec
    if (futureMicros === undefined) return undefined
    const times = microsOf(column)
    const latest = this.#context.current.nowMicros + futureMicros
    for (let row = 0; row < rows; row++) if (times[row]! > latest) return { times, latest }
    return undefined
  }

  #scan(
    batch: Batch,
    state: SplitState,
    out: { readonly others: number; readonly marks: Mark[]; readonly everyRow: Float64Array | undefined },
  ): void {
    const delay = this.#expr === undefined ? this.#spec.delayMicros : 0
    const times = this.#times(batch)
    const { others, marks, everyRow } = out
    if (everyRow !== undefined) fillWatermarks(times, everyRow, { top: state.watermark + delay, delay, others })
    const everyRise = everyRow !== undefined && this.#spec.cut
    const top = this.#top
    top[0] = state.watermark + delay
    let next = this.#nextInstant(Math.min(state.watermark, others), others)
    let row = 0
    for (;;) {
      row = reach(times, row, { rows: batch.rows, delay, limit: everyRise ? Number.NEGATIVE_INFINITY : next }, top)
      if (row === batch.rows) break
      row++
      const watermark = Math.min(top[0]! - delay, others)
      marks.push({ row, watermark })
      this.#sent = Math.max(this.#sent, watermark)
      next = this.#nextInstant(watermark, others)
    }
    state.watermark = top[0]! - delay
  }

  /** What W follows, per row; −Infinity leaves it. */
  #times(batch: Batch): Float64Array {
    if (this.#expr === undefined) return microsOf(batch.columns[this.#spec.column]!)
    const times = new Float64Array(batch.rows)
    for (let row = 0; row < batch.rows; row++) {
      const value = this.#expr(batch, row) as ExactInteger | null
      times[row] = value === null ? Number.NEGATIVE_INFINITY : floored(value)
    }
    return times
  }

  /** The least instant of any grid above `watermark` that this split can reach while the others stand still. */
  #nextInstant(watermark: number, others: number): number {
    let next = Number.POSITIVE_INFINITY
    for (const { periodMicros, phaseMicros } of this.#spec.grids) {
      if (watermark === Number.NEGATIVE_INFINITY) {
        next = watermark
        break
      }
      const instant = (Math.floor((watermark - phaseMicros) / periodMicros) + 1) * periodMicros + phaseMicros
      next = Math.min(next, instant)
    }
    return next <= others && others !== Number.NEGATIVE_INFINITY ? next : Number.POSITIVE_INFINITY
  }

  /** The least watermark of the splits that have not ended; Infinity when all have. */
  get least(): number {
    return this.#least()
  }

  #least(): number {
    let least = Number.POSITIVE_INFINITY
    for (const split of this.#splits.values()) if (holds(split)) least = Math.min(least, split.watermark)
    return least
  }

  #leastBut(one: SplitState): number {
    let least = Number.POSITIVE_INFINITY
    for (const split of this.#splits.values()) {
      if (split !== one && holds(split)) least = Math.min(least, split.watermark)
    }
    return least
  }

  *#advance(watermark: number): Iterable<Output> {
    if (watermark <= this.#sent || watermark === Number.POSITIVE_INFINITY) return
    this.#sent = watermark
    yield { kind: 'watermark', micros: watermark }
  }

  *onWatermark(micros: number): Iterable<Output> {
    if (micros === Number.POSITIVE_INFINITY) yield { kind: 'watermark', micros }
  }

  *onEnd(): Iterable<Output> {
    yield { kind: 'end' }
  }

  snapshot(out: StateWriter): void {
    out.u8(STATE_VERSION)
    out.f64(this.#sent)
    out.list(this.#splits, ([id, { watermark, finished, idle }]) => {
      out.text(id)
      out.f64(watermark)
      out.bool(finished)
      out.bool(idle)
    })
  }

  restore(state: StateReader): void {
    state.version(STATE_VERSION)
    this.#sent = state.f64()
    state.list(() =>
      this.#splits.set(state.text(), { watermark: state.f64(), finished: state.bool(), idle: state.bool() }),
    )
  }

  [Symbol.dispose](): void {}
}

const STATE_VERSION = 1

const holds = ({ finished, idle }: SplitState): boolean => !finished && !idle

/**
 * The first row from `from` on whose time is above the running maximum and, less the delay, at least `limit`; `rows`
 * when there is none. The maximum goes on in `top[0]`.
 */
function reach(
  times: Float64Array,
  from: number,
  to: { readonly rows: number; readonly delay: number; readonly limit: number },
  top: Float64Array,
): number {
  const { rows, delay, limit } = to
  let most = top[0]!
  let row = from
  for (; row < rows; row++) {
    const time = times[row]!
    if (time > most) {
      most = time
      if (time - delay >= limit) break
    }
  }
  top[0] = most
  return row
}

/** The watermark that each row is judged against. */
function fillWatermarks(
  times: Float64Array,
  watermarks: Float64Array,
  at: { readonly top: number; readonly delay: number; readonly others: number },
): void {
  let { top } = at
  for (let row = 0; row < watermarks.length; row++) {
    watermarks[row] = Math.min(top - at.delay, at.others)
    top = Math.max(top, times[row]!)
  }
}

/** The rows between the marks one after the other, and each mark as a watermark. */
function* pieces(batch: Batch, marks: readonly Mark[]): Iterable<Output> {
  let from = 0
  for (const { row, watermark } of [...marks, { row: batch.rows, watermark: undefined }]) {
    const kept = Array.from({ length: row - from }, (_, i) => from + i)
    if (kept.length > 0) yield { kind: 'batch', batch: keepRows(batch, kept) }
    if (watermark !== undefined) yield { kind: 'watermark', micros: watermark }
    from = row
  }
}

/** A TIMESTAMP column as numbers, rounded down. */
function microsOf(column: Column): Float64Array {
  assert(column.kind === 'i64', 'an event time is a TIMESTAMP column')
  return column.lane === 'safe' ? column.data : Float64Array.from(column.data, (value) => floored(exact(value)))
}

/** Loses at most 32 µs, which only years before 1684 and beyond 2255 have; a watermark never gets ahead of its row. */
const floored = (value: ExactInteger): number => (typeof value === 'number' ? value : Number(value & ~31n))
