import type { Batch, Mark } from '../../core/batch.ts'
import type { Schema } from '../../core/types.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { AccumulatorKind } from '../aggregates/accumulator.ts'
import { accumulatorKind } from '../aggregates/kinds.ts'
import { KeyCodec } from '../keys/key-codec.ts'
import { KeyWriter } from '../keys/key-writer.ts'
import type { Operator, OperatorContext, Output } from '../operator.ts'
import { ChangeTracker } from './change-tracker.ts'
import { GroupOutput } from './group-output.ts'
import { LateOutput } from './late-output.ts'
import { Pane } from './pane.ts'
import { RowAccumulate } from './row-accumulate.ts'
import { type Intake, RowIntake } from './row-intake.ts'
import { type GroupSpec, windowIndex } from './spec.ts'
import { WindowRuns } from './window-runs.ts'

/**
 * GROUP BY, with or without a tumbling window. State: one pane per open window (one for all time without a window),
 * freed when it closes: state[slot] arrays, nothing per row. Rows of a batch are taken run by run between the marks.
 */
export class GroupAggregate implements Operator {
  readonly schema: Schema
  readonly #spec: GroupSpec
  readonly #context: OperatorContext
  readonly #kinds: readonly AccumulatorKind[]
  readonly #writer: KeyWriter
  readonly #slotsAddress: number
  readonly #slots: Int32Array
  readonly #intake: RowIntake
  readonly #runs: WindowRuns
  readonly #accumulate: RowAccumulate
  readonly #output: GroupOutput
  readonly #late: LateOutput | undefined
  readonly #tracker: ChangeTracker | undefined
  readonly #panes = new Map<number, Pane>()
  readonly #pool: Pane[] = []
  #watermark = Number.NEGATIVE_INFINITY

  constructor(spec: GroupSpec, context: OperatorContext) {
    this.schema = spec.output
    this.#spec = spec
    this.#context = context
    const capacity = context.batchRowsMax
    const codec = new KeyCodec(spec.keys.map((key) => key.type))
    this.#kinds = spec.aggregates.map((call) => accumulatorKind(call, spec.retracts))
    this.#writer = new KeyWriter(context.memory, capacity)
    this.#slotsAddress = context.memory.allocate(4 * capacity)
    this.#slots = new Int32Array(context.memory.buffer, this.#slotsAddress, capacity)
    this.#intake = new RowIntake(spec, { codec, writer: this.#writer, capacity }, context)
    this.#runs = new WindowRuns(context.memory, capacity)
    this.#accumulate = new RowAccumulate(spec, this.#kinds, this.#slots, context)
    this.#output = new GroupOutput(spec, codec, { skipEmpty: this.#accumulate.mayBeEmpty }, context)
    this.#late = spec.late === undefined ? undefined : new LateOutput(spec, spec.late, context)
    this.#tracker = tracksChanges(spec) ? new ChangeTracker(this.#output, spec.emission === 'changes') : undefined
  }

  *process(batch: Batch): Iterable<Output> {
    let from = 0
    for (const mark of batch.marks ?? NO_MARKS) {
      if (mark.row > from) yield* this.#takeRun(batch, from, mark.row)
      from = mark.row
      yield* this.onWatermark(mark.watermark)
    }
    if (from < batch.rows) yield* this.#takeRun(batch, from, batch.rows)
  }

  *#takeRun(batch: Batch, from: number, to: number): Iterable<Output> {
    const { window } = this.#spec
    const intake = this.#intake.intake
    if (window !== undefined) {
      const clock = window.clock === 'processing' ? this.#context.current.nowMicros : this.#watermark
      intake.closedBelow = windowIndex(window, clock - this.#spec.latenessMicros)
      if (window.clock === 'processing') yield* this.#closeBelow(intake.closedBelow)
    }
    this.#intake.take(batch, from, to)
    const runs = this.#runs
    runs.take(intake, this.#writer)
    for (let run = 0; run < intake.runs; run++) {
      const pane = this.#pane(intake.runWindow[run]!)
      const start = intake.runStart[run]!
      const end = intake.runStart[run + 1]!
      pane.assign(runs.spansAddress, start, end, this.#slots)
      this.#tracker?.touch(pane, intake.runWindow[run]!, this.#slots.subarray(start, end))
      this.#accumulate.add(batch, pane, runs.rows, start, end)
    }
    if (intake.late > 0) yield* this.#lateRows(batch, intake)
    if (this.#tracker !== undefined) yield* this.#tracker.changes()
  }

  *#lateRows(batch: Batch, intake: Intake): Iterable<Output> {
    this.#context.counters.lateRows += intake.late
    this.#context.counters.lateWindowMisses += intake.late
    if (this.#late !== undefined) yield* this.#late.rows(batch, intake, this.#watermark)
  }

  #pane(window: number): Pane {
    let pane = this.#panes.get(window)
    if (pane === undefined) {
      pane = this.#pool.pop() ?? new Pane(this.#kinds, this.#context.kernels, this.#spec.keys.length > 0)
      this.#panes.set(window, pane)
    }
    return pane
  }

  *onWatermark(micros: number): Iterable<Output> {
    if (micros <= this.#watermark) return
    this.#watermark = micros
    const { window, latenessMicros } = this.#spec
    if (window?.clock === 'event' && micros !== Number.POSITIVE_INFINITY) {
      yield* this.#closeBelow(windowIndex(window, micros - latenessMicros))
    }
    if (micros !== Number.POSITIVE_INFINITY) {
      // Without a window the event time is gone: nothing behind this operator may wait for it.
      if (window !== undefined) yield { kind: 'watermark', micros: micros - latenessMicros }
      return
    }
    yield* this.#closeBelow(Number.POSITIVE_INFINITY)
    yield { kind: 'watermark', micros }
  }

  *onClock(nowMicros: number): Iterable<Output> {
    const { window } = this.#spec
    if (window?.clock === 'processing') yield* this.#closeBelow(windowIndex(window, nowMicros))
  }

  get openSinceMicros(): number | undefined {
    const waits = this.#spec.window?.clock === 'event' && this.#panes.size > 0
    return waits && Number.isFinite(this.#watermark) ? this.#watermark : undefined
  }

  nextClockMicros(): number | undefined {
    const { window } = this.#spec
    if (window?.clock !== 'processing' || this.#panes.size === 0) return undefined
    return (Math.min(...this.#panes.keys()) + 1) * window.sizeMicros + window.offsetMicros
  }

  /** Closes the windows below an index, oldest first. */
  *#closeBelow(index: number): Iterable<Output> {
    if (this.#panes.size === 0 && this.#spec.window !== undefined) return
    const closing = [...this.#panes.keys()].filter((window) => window < index).sort((a, b) => a - b)
    for (const window of closing) {
      const pane = this.#panes.get(window)!
      if (this.#tracker === undefined) {
        for (const batch of this.#output.groups(pane, window)) yield { kind: 'batch', batch }
      } else yield* this.#tracker.close(pane)
      this.#panes.delete(window)
      pane.clear()
      if (this.#pool.length < POOL_MAX) this.#pool.push(pane)
      else pane[Symbol.dispose]()
    }
  }

  *onEnd(): Iterable<Output> {
    // A grouping without keys has one group, also over no rows.
    if (this.#spec.window === undefined && this.#spec.keys.length === 0 && !this.#output.answered) {
      const pane = this.#pane(0)
      pane.ensureSingle()
      for (const batch of this.#output.groups(pane, 0, { empty: true })) yield { kind: 'batch', batch }
    }
    yield { kind: 'end' }
  }

  snapshot(out: StateWriter): void {
    out.u8(STATE_VERSION)
    out.f64(this.#watermark)
    out.bool(this.#output.answered)
    out.list(this.#panes, ([window, pane]) => {
      out.f64(window)
      pane.snapshot(out)
      this.#tracker?.snapshot(out, pane)
    })
  }

  restore(state: StateReader): void {
    state.version(STATE_VERSION)
    this.#watermark = state.f64()
    this.#output.answered = state.bool()
    state.list(() => {
      const window = state.f64()
      const pane = this.#pane(window)
      pane.restore(state)
      this.#tracker?.restore(state, pane)
    })
  }

  [Symbol.dispose](): void {
    for (const pane of [...this.#panes.values(), ...this.#pool]) pane[Symbol.dispose]()
    this.#writer[Symbol.dispose]()
    this.#runs[Symbol.dispose]()
    this.#output[Symbol.dispose]()
    this.#late?.[Symbol.dispose]()
    this.#context.memory.free(this.#slotsAddress, 4 * this.#context.batchRowsMax)
  }
}

const NO_MARKS: readonly Mark[] = []
const POOL_MAX = 8
const STATE_VERSION = 1

const tracksChanges = (spec: GroupSpec): boolean => spec.emission === 'changes' || spec.emission === 'update'
