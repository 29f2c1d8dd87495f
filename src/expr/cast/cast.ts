import { type DataType, sameType, typeName } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { isNumeric, isTime } from '../coerce.ts'
import { RowFailure } from '../functions.ts'
import { jsonOfValue } from '../value-json.ts'
import { textOfValue } from '../value-text.ts'
import { cutText } from './cut-text.ts'
import { jsonToValue } from './from-json.ts'
import { textToValue } from './from-text.ts'
import { numberToNumber } from './numbers.ts'
import { timeToTime } from './times.ts'

/** Converts one value that is not NULL; throws a `RowFailure` (`row_invalid_cast`, `row_numeric_overflow`). */
export type Caster = (value: Exclude<Value, null>) => Value

/** The cast between two types of which `castable` says true. */
export function caster(from: DataType, to: DataType): Caster {
  if (from.kind === 'null' || sameType(from, to)) return (value) => value
  if (from.kind === 'json') return jsonToValue(to)
  if (to.kind === 'string') return toText(from, to.length)
  if (from.kind === 'string') return textToValue(to)
  if (to.kind === 'json') return (value) => jsonOfValue(value, from)
  if (from.kind === 'boolean') {
    const number = numberToNumber({ kind: 'int' }, to)
    return (value) => number(value === true ? 1 : 0)
  }
  if (to.kind === 'boolean') return (value) => value !== 0
  if (isNumeric(from) && isNumeric(to)) return numberToNumber(from, to)
  if (isTime(from) && isTime(to)) return timeToTime(from, to)
  return nested(from, to)
}

function toText(from: DataType, length: number | undefined): Caster {
  if (length === undefined) return (value) => textOfValue(value, from)
  return (value) => cutText(textOfValue(value, from), length)
}

function nested(from: DataType, to: DataType): Caster {
  if (from.kind === 'array' && to.kind === 'array') {
    const item = orNull(caster(from.element, to.element))
    return (value) => (value as readonly Value[]).map(item)
  }
  if (from.kind === 'map' && to.kind === 'map') {
    const key = orNull(caster(from.key, to.key))
    const item = orNull(caster(from.value, to.value))
    return (value) => new Map([...(value as ReadonlyMap<Value, Value>)].map(([k, v]) => [key(k), item(v)]))
  }
  if (from.kind === 'struct' && to.kind === 'struct') {
    const fields = to.fields.map((f, i) => orNull(caster(from.fields[i]!.type, f.type)))
    return (value) => (value as readonly Value[]).map((item, i) => fields[i]!(item))
  }
  return () => {
    throw new RowFailure('row_invalid_cast', `no cast from ${typeName(from)} to ${typeName(to)}`)
  }
}

/** The cast with NULL for NULL. */
const orNull =
  (cast: Caster): ((value: Value) => Value) =>
  (value) =>
    value === null ? null : cast(value)
