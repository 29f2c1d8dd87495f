import type { Batch } from '../../core/batch.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import { buildLoop } from '../../expr/compile/build-loop.ts'
import { RowFailure } from '../../expr/functions.ts'
import { type Evaluator, interpret } from '../../expr/interpret.ts'
import type { Loop, LoopCode } from '../../expr/loop.ts'
import type { KeyCodec } from '../keys/key-codec.ts'
import type { KeyWriter } from '../keys/key-writer.ts'
import type { OperatorContext } from '../operator.ts'
import { type GroupSpec, type WindowSpec, windowIndex } from './spec.ts'

/**
 * The rows of one run that take part: their indexes, their keys (in the writer) and the windows they fall into, as
 * runs of neighbours of one window.
 */
export interface Intake {
  count: number
  readonly rows: Int32Array
  /** Run r holds positions `runStart[r]` … `runStart[r + 1]` of window `runWindow[r]`. */
  runs: number
  readonly runStart: Int32Array
  readonly runWindow: Float64Array
  /** Rows that came after their window closed. */
  late: number
  readonly lateRows: Int32Array
  readonly lateWindow: Float64Array
  /** Windows below this index are closed. */
  closedBelow: number
}

export function newIntake(capacity: number): Intake {
  return {
    count: 0,
    rows: new Int32Array(capacity),
    runs: 0,
    runStart: new Int32Array(capacity + 1),
    runWindow: new Float64Array(capacity),
    late: 0,
    lateRows: new Int32Array(capacity),
    lateWindow: new Float64Array(capacity),
    closedBelow: Number.NEGATIVE_INFINITY,
  }
}

/** First half of a grouping, row by row: filters, window, key. */
export class RowIntake {
  readonly intake: Intake
  readonly #spec: GroupSpec
  readonly #codec: KeyCodec
  readonly #writer: KeyWriter
  readonly #context: OperatorContext
  readonly #filters: readonly Evaluator[]
  readonly #keys: readonly Evaluator[]
  readonly #time: Evaluator | undefined
  readonly #loop: Loop | undefined

  constructor(
    spec: GroupSpec,
    parts: { codec: KeyCodec; writer: KeyWriter; capacity: number },
    context: OperatorContext,
  ) {
    this.#spec = spec
    this.#codec = parts.codec
    this.#writer = parts.writer
    this.#context = context
    this.intake = newIntake(parts.capacity)
    this.#filters = spec.filters.map((filter) => interpret(filter, context))
    this.#keys = spec.keys.map((key) => interpret(key, context))
    this.#time = spec.window === undefined ? undefined : interpret(spec.window.time, context)
    if (context.mode === 'compiled') {
      const failures = context.onExprError === 'null' ? 'redo' : 'mark'
      this.#loop = buildLoop({ rows: 'range', failures, body: (code) => this.#emit(code) }, spec.input, context)
    }
  }

  /** Takes rows `from` … `to` of a batch in, replacing what was taken before. */
  take(batch: Batch, from: number, to: number): Intake {
    const { intake } = this
    intake.count = 0
    intake.runs = 0
    intake.late = 0
    this.#writer.reset()
    let at = from
    while (at < to) {
      if (this.#loop === undefined) this.#interpretRow(batch, at++)
      else {
        at = this.#loop.run(batch, at, to)
        if (at < to) this.#interpretRow(batch, at++)
      }
    }
    if (this.#loop !== undefined && this.#loop.failed.length > 0) {
      for (const row of this.#loop.failed) this.#reportFailure(batch, row)
      this.#loop.clear()
    }
    intake.runStart[intake.runs] = intake.count
    return intake
  }

  #emit(code: LoopCode): void {
    const state = code.bound(() => this.intake)
    code.before(`let m = ${state}.count, runs = ${state}.runs, late = ${state}.late`)
    code.after(`${state}.count = m; ${state}.runs = runs; ${state}.late = late`)
    for (const filter of this.#spec.filters) {
      const passed = code.evaluate(filter)
      const nulls = passed.isNull === 'false' ? '' : ` || ${passed.isNull}`
      code.line(`if (!(${passed.value})${nulls}) ${code.skipRow}`)
    }
    const { window } = this.#spec
    if (window !== undefined) this.#emitWindow(code, window, state)
    const keys = this.#spec.keys.map((key) => code.evaluate(key))
    const writer = code.constant(this.#writer)
    this.#codec.emit(code, keys, { writer, spans: code.constant(this.#writer.spans), position: 'm' })
    if (window !== undefined) {
      const windows = code.bound(() => this.intake.runWindow)
      const starts = code.bound(() => this.intake.runStart)
      code.before(`let lastWindow = runs === 0 ? NaN : ${windows}[runs - 1]`)
      code.line(`if (w !== lastWindow) { ${windows}[runs] = w; ${starts}[runs] = m; runs++; lastWindow = w }`)
    } else {
      code.line(`if (runs === 0) { ${state}.runStart[0] = 0; ${state}.runWindow[0] = 0; runs = 1 }`)
    }
    code.line(`${code.bound(() => this.intake.rows)}[m++] = ${code.row}`)
  }

  #emitWindow(code: LoopCode, window: WindowSpec, state: string): void {
    const time = code.evaluate(window.time)
    if (time.isNull !== 'false') code.line(`if (${time.isNull}) ${code.failRow}`)
    // The window of the row before is tried first: two compares instead of a division.
    const { sizeMicros, offsetMicros } = window
    code.before('let w = NaN, low = NaN, high = NaN')
    code.before(`const closedBelow = ${state}.closedBelow`)
    const t = code.name('t')
    code.line(`const ${t} = ${time.value}`)
    code.line(`if (!(${t} >= low && ${t} < high)) {`)
    code.line(`w = Math.floor((${t} - ${offsetMicros}) / ${sizeMicros})`)
    const rows = code.bound(() => this.intake.lateRows)
    const windows = code.bound(() => this.intake.lateWindow)
    const late = `${rows}[late] = ${code.row}; ${windows}[late] = w; late++; low = NaN; ${code.skipRow}`
    code.line(`if (w < closedBelow) { ${late} }`)
    code.line(`low = w * ${sizeMicros} + ${offsetMicros}; high = low + ${sizeMicros}`)
    code.line('}')
  }

  /** One row by the interpreter; the twin of `#emit`. */
  #interpretRow(batch: Batch, row: number): void {
    const { intake } = this
    try {
      for (const filter of this.#filters) if (filter(batch, row) !== true) return
      let index = 0
      const { window } = this.#spec
      if (window !== undefined) {
        const time = this.#time!(batch, row) as ExactInteger | null
        if (time === null) {
          this.#fail(batch, row, 'row_null_event_time', 'the event time is NULL')
          return
        }
        index = windowIndex(window, time)
        if (index < intake.closedBelow) {
          intake.lateRows[intake.late] = row
          intake.lateWindow[intake.late++] = index
          return
        }
      }
      this.#codec.write(this.#writer, this.#keyValues(batch, row), intake.count)
      if (intake.runs === 0 || intake.runWindow[intake.runs - 1] !== index) {
        intake.runWindow[intake.runs] = index
        intake.runStart[intake.runs++] = intake.count
      }
      intake.rows[intake.count++] = row
    } catch (failure) {
      this.#onFailure(batch, row, failure)
    }
  }

  /** With `on_expr_error = 'null'` a key that fails is NULL; the row is reported once and goes on. */
  #keyValues(batch: Batch, row: number): Value[] {
    if (this.#context.onExprError !== 'null') return this.#keys.map((key) => key(batch, row))
    let reported = false
    return this.#keys.map((key) => {
      try {
        return key(batch, row)
      } catch (failure) {
        if (!reported) this.#onFailure(batch, row, failure)
        reported = true
        return null
      }
    })
  }

  /** A row that the loop marked: the interpreter says what was wrong. */
  #reportFailure(batch: Batch, row: number): void {
    const { count, runs, late } = this.intake
    this.#interpretRow(batch, row)
    Object.assign(this.intake, { count, runs, late })
  }

  #onFailure(batch: Batch, row: number, failure: unknown): void {
    if (!(failure instanceof RowFailure)) throw failure
    const { code, detail, span } = failure
    this.#context.onRowError({ code, detail, span, batch, row })
  }

  #fail(batch: Batch, row: number, code: string, detail: string): void {
    this.#context.onRowError({ code, detail, span: undefined, batch, row })
  }
}
