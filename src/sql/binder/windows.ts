import { type DataType, typeName, types } from '../../core/types.ts'
import { exact, type Value, wide } from '../../core/values.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import type { ScalarOverload } from '../../expr/functions.ts'
import type { WindowKind } from '../ast.ts'
import { castTo, literal } from './casts.ts'
import { constantMicros, foldConstant } from './constants.ts'
import type { Binder } from './context.ts'
import { fault, unsupported } from './failure.ts'
import {
  isTimeColumn,
  type Relation,
  type RelationColumn,
  timeColumn,
  type WindowMark,
  type WindowSpec,
} from './relation.ts'

export interface WrittenWindow {
  readonly kind: WindowKind
  /** Undefined: the event-time column. */
  readonly time: BoundExpr | undefined
  /** The size, then the offset. */
  readonly sizes: readonly BoundExpr[]
  readonly span: Span
}

/** Checks a window over `relation` and gives it its time. */
export function windowSpec(written: WrittenWindow, relation: Relation, binder: Binder): WindowSpec {
  if (written.kind !== 'tumble') {
    return unsupported(`the window ${written.kind.toUpperCase()}`, written.span, 'use TUMBLE')
  }
  const [size, offset] = written.sizes
  if (size === undefined || written.sizes.length > 2) {
    return fault('sql_window_size_invalid', 'TUMBLE takes a size and at most an offset', written.span, {
      hint: 'write TUMBLE(ts, 5m) or TUMBLE(ts, 7d, 4d)',
    })
  }
  const sizeMicros = sizeOf(size, written, binder)
  const offsetMicros = offset === undefined ? 0 : (constantMicros(offset) ?? badSize(offset, written, binder))
  const { time, clock } = windowTime(written, relation, { sizeMicros, offsetMicros }, binder)
  return { clock, time, sizeMicros, offsetMicros, span: written.span }
}

function sizeOf(size: BoundExpr, written: WrittenWindow, binder: Binder): number {
  const micros = constantMicros(size)
  if (micros === undefined || micros <= 0) return badSize(size, written, binder)
  return micros
}

function badSize(size: BoundExpr, written: WrittenWindow, binder: Binder): never {
  const span = size.span ?? written.span
  const folded = foldConstant(size)
  const value: Value = folded.kind === 'literal' ? folded.value : null
  if (typeof value === 'object' && value !== null && 'months' in value && value.months !== 0) {
    return unsupported('a window of calendar months', span, 'write a size in days')
  }
  return fault('sql_window_size_invalid', `"${binder.textOf(span)}" is no positive constant length of time`, span, {
    hint: "write 5m or INTERVAL '5' MINUTE",
  })
}

interface WindowTime {
  readonly time: BoundExpr
  readonly clock: 'event' | 'processing'
}

const isTimestamp = (type: DataType): boolean => type.kind === 'timestamp' || type.kind === 'timestamptz'

interface Grid {
  readonly sizeMicros: number
  readonly offsetMicros: number
}

function windowTime(written: WrittenWindow, relation: Relation, grid: Grid, binder: Binder): WindowTime {
  const time = written.time
  if (time === undefined) return defaultTime(written, relation)
  if (time.kind === 'context') return { time: castTo(time, types.timestamp), clock: 'processing' }
  const declared = timeColumn(relation)
  if (time.kind !== 'column') {
    return fault('sql_time_column_mismatch', 'the time of a window must be a column', time.span ?? written.span, {
      hint: 'declare a computed column in CREATE STREAM: c AS expression, WATERMARK FOR c',
    })
  }
  const column = relation.columns[time.index]!
  if (isTimeColumn(relation, time.index) || (column.window !== undefined && holds(grid, column.window))) {
    return { time: castTo(time, types.timestamp), clock: column.window?.clock ?? 'event' }
  }
  if (declared !== undefined) return notTheTime(time, relation.columns[declared]!, written)
  claimTime(time, column, written, binder)
  return { time: castTo(time, types.timestamp), clock: 'event' }
}

/** True when every window of the inner grid lies in one of the outer grid, and the column in the same one. */
const holds = (outer: Grid, inner: WindowMark): boolean =>
  inner.role !== 'end' &&
  outer.sizeMicros % inner.sizeMicros === 0 &&
  (outer.offsetMicros - inner.offsetMicros) % inner.sizeMicros === 0

function notTheTime(
  time: Extract<BoundExpr, { kind: 'column' }>,
  declared: RelationColumn,
  written: WrittenWindow,
): never {
  const message = `the window uses "${time.name}", but the event time is "${declared.name}"`
  return fault('sql_time_column_mismatch', message, time.span ?? written.span, {
    hint: `use the declared column: "${declared.name}"`,
    suggestions: [{ replace: time.name, with: declared.name }],
  })
}

/** Makes the column the event time of a source that declares none. */
function claimTime(
  time: Extract<BoundExpr, { kind: 'column' }>,
  column: RelationColumn,
  written: WrittenWindow,
  binder: Binder,
): void {
  const span = time.span ?? written.span
  if (!isTimestamp(time.type)) {
    fault(
      'sql_type_mismatch',
      `the time of a window must be a TIMESTAMP, but "${time.name}" is ${typeName(time.type)}`,
      span,
      {
        hint: `declare the column as TIMESTAMP, or add a computed column: t AS CAST(${binder.textOf(span)} AS TIMESTAMP)`,
      },
    )
  }
  const origin = column.origin
  if (origin === undefined) {
    needsTime(span)
    return
  }
  const { watermark } = origin
  if (watermark.time !== undefined && watermark.time.column !== origin.column) {
    notTheTime(time, watermark.columns[watermark.time.column]!, written)
  }
  watermark.time = { column: origin.column, delayMicros: watermark.defaultDelayMicros, expr: undefined }
}

const needsTime = (span: Span): never =>
  fault('sql_window_needs_time', 'the window has no event time: its input declares none', span, {
    hint: "add WATERMARK FOR c to the CREATE STREAM, or the option event_time = 'c'",
  })

/** The declared event time, else the record's own timestamp. */
function defaultTime(written: WrittenWindow, relation: Relation): WindowTime {
  let at = timeColumn(relation)
  if (at === undefined) {
    const own = relation.columns.findIndex((column) => column.name === '_timestamp' && column.hidden)
    const origin = relation.columns[own]?.origin
    if (origin === undefined) return needsTime(written.span)
    origin.watermark.time ??= {
      column: origin.column,
      delayMicros: origin.watermark.defaultDelayMicros,
      expr: undefined,
    }
    at = timeColumn(relation)
    if (at === undefined) return needsTime(written.span)
  }
  const { name, type, nullable } = relation.columns[at]!
  const time: BoundExpr = { kind: 'column', index: at, name, type, nullable, span: written.span }
  return { time: castTo(time, types.timestamp), clock: 'event' }
}

/** The window that GROUP BY window_start, window_end names, over an input whose rows have these columns. */
export function markedWindow(at: number, mark: WindowMark, relation: Relation, span: Span, binder: Binder): WindowSpec {
  const same = (column: RelationColumn, role: WindowMark['role']) =>
    column.window?.role === role &&
    column.window.sizeMicros === mark.sizeMicros &&
    column.window.offsetMicros === mark.offsetMicros
  const start = relation.columns.findIndex((column) => same(column, 'start'))
  const index = start >= 0 ? start : relation.columns.findIndex((column) => same(column, 'time'))
  const chosen = index >= 0 ? index : at
  const { name, type, nullable } = relation.columns[chosen]!
  const column: BoundExpr = { kind: 'column', index: chosen, name, type, nullable, span }
  const time = index >= 0 ? column : lastInstant(column, binder)
  return { clock: mark.clock, time, sizeMicros: mark.sizeMicros, offsetMicros: mark.offsetMicros, span }
}

/** window_end − 1 µs. */
function lastInstant(end: BoundExpr, binder: Binder): BoundExpr {
  const minus = binder.environment.functions.scalar.get('-')!
  const interval = literal(types.interval, { months: 0, days: 0, micros: 1 })
  const overload = minus.resolve([end, interval].map(({ type, nullable }) => ({ type, nullable })))!
  return { kind: 'call', overload, args: [end, interval], type: overload.type, nullable: end.nullable }
}

/** `window_start` of the table form: the start of the window that holds a time, plus `shiftMicros`. */
export function windowEdge(time: BoundExpr, spec: WindowSpec, role: WindowMark['role']): BoundExpr {
  const { sizeMicros, offsetMicros } = spec
  const shift = role === 'start' ? 0 : role === 'end' ? sizeMicros : sizeMicros - 1
  const start = (value: Value): Value => {
    const micros = wide(value as number | bigint)
    const size = BigInt(sizeMicros)
    const past = (((micros - BigInt(offsetMicros)) % size) + size) % size
    return exact(micros - past + BigInt(shift))
  }
  const overload: ScalarOverload = {
    name: `TUMBLE_${role.toUpperCase()}`,
    parameters: [types.timestamp, types.interval, types.interval],
    type: types.timestamp,
    seesNull: false,
    nullable: false,
    deterministic: true,
    fallible: false,
    call: start,
    inline: (code, operand) => {
      const size = code.constant(sizeMicros)
      const value = code.local(operand!)
      const past = `(((${value} - ${code.constant(offsetMicros)}) % ${size} + ${size}) % ${size})`
      return `(${value} - ${past} + ${code.constant(shift)})`
    },
  }
  const lengths = [sizeMicros, offsetMicros].map((micros) => literal(types.interval, { months: 0, days: 0, micros }))
  return {
    kind: 'call',
    overload,
    args: [time, ...lengths],
    type: types.timestamp,
    nullable: time.nullable,
    span: spec.span,
  }
}
