import type { Mark } from '../../core/batch.ts'
import { CHANGE, type ChangeCode } from '../../core/change.ts'
import type { Random } from '../../core/random.ts'
import { BatchBuilder } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { rowsOf } from '../../expr/testing/batches.ts'
import { AssignWatermarks } from '../assign-watermarks.ts'
import type { Operator, OperatorContext, Output } from '../operator.ts'
import { anyRow } from './random-rows.ts'

/** What an operator is given, as plain data: it can be given to two of them. */
export type Step =
  | {
      readonly kind: 'batch'
      readonly split: string
      readonly rows: readonly { readonly values: readonly Value[]; readonly change: ChangeCode }[]
      readonly marks: readonly Mark[]
      readonly watermarks: readonly number[] | undefined
      readonly nowMicros: number
    }
  | { readonly kind: 'watermark'; readonly micros: number }
  | { readonly kind: 'clock'; readonly nowMicros: number }
  | { readonly kind: 'finish'; readonly split: string }
  | { readonly kind: 'end' }

export interface InputForm {
  readonly schema: Schema
  /** A TIMESTAMP column whose values ascend but for some seconds; it is never NULL. */
  readonly time: number
  /** Rows are taken back, too. */
  readonly revises: boolean
  /** The rows still have no watermark: they come from splits `a`, `b` and `c`. */
  readonly splits: boolean
}

const SECOND = 1_000_000
const STEPS = 24
const START = 1_767_225_600_000_000

/** Steps up to the end of the input. */
export function randomSteps(form: InputForm, random: Random): Step[] {
  const live: (readonly Value[])[] = []
  let [now, watermark] = [START, Number.NEGATIVE_INFINITY]
  const rise = (): number => {
    watermark = Math.max(watermark, now - random.between(0, 4) * SECOND)
    return watermark
  }
  const row = (): { values: readonly Value[]; change: ChangeCode } => {
    if (form.revises && live.length > 0 && random.chance(0.35)) {
      const values = live.splice(random.below(live.length), 1)[0]!
      return { values, change: random.pick([CHANGE.delete, CHANGE.updateBefore]) }
    }
    const values = anyRow(form.schema, random)
    values[form.time] = now + random.between(-6 * SECOND, SECOND)
    live.push(values)
    return { values, change: form.revises && random.chance(0.3) ? CHANGE.updateAfter : CHANGE.insert }
  }
  const batch = (): Step => {
    const rows = []
    const marks: Mark[] = []
    const watermarks: number[] = []
    for (let count = random.between(1, 24); count > 0; count--) {
      now += random.below(SECOND)
      watermarks.push(watermark)
      rows.push(row())
      if (!form.splits && random.chance(0.1)) marks.push({ row: rows.length, watermark: rise() })
    }
    const split = form.splits ? random.pick(['a', 'b', 'c']) : ''
    return { kind: 'batch', split, rows, marks, watermarks: form.splits ? undefined : watermarks, nowMicros: now }
  }
  const steps = Array.from({ length: STEPS }, (_, i): Step => {
    if (form.splits && i === STEPS - 3) return { kind: 'finish', split: 'c' }
    if (form.splits || random.chance(0.7)) return batch()
    return random.chance(0.5) ? { kind: 'watermark', micros: rise() } : { kind: 'clock', nowMicros: now }
  }).map((step, i): Step => {
    // A split that has ended gives no more rows.
    return step.kind === 'batch' && step.split === 'c' && i > STEPS - 3 ? { ...step, split: 'a' } : step
  })
  return [...steps, { kind: 'watermark', micros: Number.POSITIVE_INFINITY }, { kind: 'end' }]
}

/** Takes a step; everything that came of it, as plain data. */
export function takeStep(operator: Operator, step: Step, schema: Schema, context: OperatorContext): unknown[] {
  context.scratch.reset()
  const { lateRows, lateWindowMisses } = context.counters
  const outputs = [...outputsOf(operator, step, schema, context)]
  const { counters } = context
  return [...outputs, counters.lateRows - lateRows, counters.lateWindowMisses - lateWindowMisses, operator.finished]
}

function* outputsOf(operator: Operator, step: Step, schema: Schema, context: OperatorContext): Iterable<unknown> {
  const { current } = context
  switch (step.kind) {
    case 'batch':
      current.nowMicros = step.nowMicros
      current.split = step.split
      yield* plain(processed(operator, step, schema, context))
      return
    case 'watermark':
      yield* plain(operator.onWatermark(step.micros))
      return
    case 'clock':
      current.nowMicros = step.nowMicros
      yield* plain(operator.onClock?.(step.nowMicros) ?? [])
      yield operator.nextClockMicros?.()
      return
    case 'finish':
      if (operator instanceof AssignWatermarks) yield* plain(operator.finishSplit(step.split))
      return
    case 'end':
      yield* plain(operator.onEnd())
  }
}

function* processed(
  operator: Operator,
  { rows, marks, watermarks }: Step & { readonly kind: 'batch' },
  schema: Schema,
  context: OperatorContext,
): Iterable<Output> {
  using builder = new BatchBuilder(schema, rows.length, context.memory)
  for (const { values, change } of rows) builder.append(values, change)
  const seen = watermarks === undefined ? undefined : Float64Array.from(watermarks)
  yield* operator.process({ ...builder.finish(), marks, watermarks: seen }, 0)
}

/** Copies outputs while they are valid. */
function* plain(outputs: Iterable<Output>): Iterable<unknown> {
  for (const output of outputs) {
    if (!('batch' in output)) {
      yield output
      continue
    }
    const { batch, kind } = output
    const changes = batch.changes && [...batch.changes.subarray(0, batch.rows)]
    const watermarks = batch.watermarks && [...batch.watermarks.subarray(0, batch.rows)]
    yield { kind, rows: rowsOf(batch), changes, watermarks, marks: batch.marks }
  }
}
