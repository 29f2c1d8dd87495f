import { type DataType, typeName } from '../core/types.ts'
import type { Interval, Value } from '../core/values.ts'
import type { BoundAggregate, BoundExpr, SortKey } from '../expr/bound.ts'
import { textOfValue } from '../expr/value-text.ts'

type ColumnName = (column: Extract<BoundExpr, { kind: 'column' }>) => string

const byName: ColumnName = (column) => column.name

/** A bound expression as SQL-like text, for EXPLAIN. */
export function exprText(expr: BoundExpr, column: ColumnName = byName): string {
  const text = (child: BoundExpr) => exprText(child, column)
  switch (expr.kind) {
    case 'literal':
      return valueText(expr.value, expr.type)
    case 'column':
      return column(expr)
    case 'call':
      return callText(expr.overload.name, expr.args.map(text))
    case 'and':
    case 'or':
      return `(${expr.args.map(text).join(` ${expr.kind.toUpperCase()} `)})`
    case 'case': {
      const branches = expr.branches.map(({ when, result }) => `WHEN ${text(when)} THEN ${text(result)}`)
      return `CASE ${branches.join(' ')}${expr.otherwise === undefined ? '' : ` ELSE ${text(expr.otherwise)}`} END`
    }
    case 'coalesce':
      return `COALESCE(${expr.args.map(text).join(', ')})`
    case 'cast':
      return `${expr.safe ? 'TRY_CAST' : 'CAST'}(${text(expr.arg)} AS ${typeName(expr.type)})`
    case 'is-null':
      return `${text(expr.arg)} IS ${expr.negated ? 'NOT ' : ''}NULL`
    case 'field': {
      const type = expr.arg.type
      return `${text(expr.arg)}.${type.kind === 'struct' ? type.fields[expr.index]!.name : expr.index}`
    }
    case 'context':
      return `${expr.name.toUpperCase()}()`
  }
}

function callText(name: string, args: readonly string[]): string {
  if (/^\w+$/.test(name) && name !== 'LIKE' && name !== 'ILIKE') return `${name}(${args.join(', ')})`
  if (name === 'unary-') return `-${args[0]}`
  if (args.length === 2) return `(${args[0]} ${name} ${args[1]})`
  return `${name}(${args.join(', ')})`
}

/** Equal for expressions that compute the same over the same input; places do not count. */
export const exprKey = (expr: BoundExpr): string =>
  `${exprText(expr, (column) => `#${column.index}`)}:${typeName(expr.type)}`

export function aggregateText(aggregate: BoundAggregate, column: ColumnName = byName): string {
  const args = aggregate.args.map((arg) => exprText(arg, column))
  const { length } = aggregate.args
  const types = aggregate.overload.parameters
  const all = [...args, ...aggregate.parameters.map((value, i) => valueText(value, types[length + i]!))]
  const order = aggregate.orderBy.length === 0 ? '' : ` ORDER BY ${sortText(aggregate.orderBy, column)}`
  const filter = aggregate.filter === undefined ? '' : ` FILTER (WHERE ${exprText(aggregate.filter, column)})`
  const inner = all.length === 0 ? '*' : all.join(', ')
  return `${aggregate.overload.name}(${aggregate.distinct ? 'DISTINCT ' : ''}${inner}${order})${filter}`
}

export const sortText = (keys: readonly SortKey[], column: ColumnName = byName): string =>
  keys
    .map((key) => {
      const nulls = key.nullsFirst === key.descending ? '' : key.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST'
      return `${exprText(key.expr, column)}${key.descending ? ' DESC' : ''}${nulls}`
    })
    .join(', ')

/** A value as SQL text of its type. */
export function valueText(value: Value, type: DataType): string {
  if (value === null) return 'NULL'
  switch (type.kind) {
    case 'string':
    case 'json':
      return quoted(String(value))
    case 'boolean':
      return value === true ? 'TRUE' : 'FALSE'
    case 'date':
    case 'timestamp':
      return `${type.kind.toUpperCase()} '${textOfValue(value, type)}'`
    case 'timestamptz':
      return `TIMESTAMPTZ '${textOfValue(value, type)}'`
    case 'interval':
      return `INTERVAL '${intervalText(value as Interval)}'`
    case 'bytes':
      return `X'${Buffer.from(value as Uint8Array).toString('hex')}'`
    case 'array':
      return `[${(value as readonly Value[]).map((item) => valueText(item, type.element)).join(', ')}]`
    case 'struct':
      return `(${(value as readonly Value[]).map((item, i) => valueText(item, type.fields[i]!.type)).join(', ')})`
    case 'map': {
      const pairs = [...(value as ReadonlyMap<Value, Value>)]
      return `MAP[${pairs.map(([k, v]) => `${valueText(k, type.key)}, ${valueText(v, type.value)}`).join(', ')}]`
    }
    default:
      return textOfValue(value, type)
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Compact: `1h30m`, `5s`, `0s`. */
export function intervalText(interval: Interval): string {
  const parts = [
    ...(interval.months === 0 ? [] : [`${interval.months}month`]),
    ...(interval.days === 0 ? [] : [`${interval.days}d`]),
    ...(interval.micros === 0 ? [] : [microsText(interval.micros)]),
  ]
  return parts.length === 0 ? '0s' : parts.join('')
}

const units = [
  [3_600_000_000, 'h'],
  [60_000_000, 'm'],
  [1_000_000, 's'],
  [1000, 'ms'],
  [1, 'us'],
] as const

/** A length of time in microseconds: `10s`, `1h30m`. */
export function microsText(micros: number): string {
  if (micros === 0) return '0s'
  let rest = Math.abs(micros)
  let text = micros < 0 ? '-' : ''
  for (const [size, unit] of units) {
    if (rest >= size) text += `${Math.floor(rest / size)}${unit}`
    rest %= size
  }
  return text
}
