import type { DataType } from '../core/types.ts'
import type { ExactInteger, Interval, Value } from '../core/values.ts'
import { decimalText, doubleText } from './number-text.ts'
import { dateText, intervalText, timestampText } from './time/time-text.ts'
import { instantText } from './time/zones.ts'
import { jsonOfValue } from './value-json.ts'

/**
 * A value in PostgreSQL text form, as CAST to STRING gives it; `value` is not NULL. Instants are shown on the wall clock
 * of `zone`.
 */
export function textOfValue(value: Exclude<Value, null>, type: DataType, zone = 'UTC'): string {
  switch (type.kind) {
    case 'string':
    case 'json':
      return value as string
    case 'boolean':
      return value === true ? 'true' : 'false'
    case 'smallint':
    case 'int':
    case 'bigint':
      return String(value)
    case 'double':
      return doubleText(value as number)
    case 'decimal':
      return decimalText(value as ExactInteger, type.scale)
    case 'date':
      return dateText(value as number)
    case 'timestamp':
      return timestampText(value as ExactInteger)
    case 'timestamptz':
      return zone === 'UTC' ? timestampText(value as ExactInteger, true) : instantText(value as ExactInteger, zone)
    case 'interval':
      return intervalText(value as Interval)
    case 'bytes':
      return `\\x${Buffer.from(value as Uint8Array).toString('hex')}`
    case 'array':
      return `{${(value as readonly Value[]).map((item) => quotedItem(item, type.element, zone)).join(',')}}`
    case 'struct':
      return `(${(value as readonly Value[]).map((item, i) => quotedField(item, type.fields[i]!.type, zone)).join(',')})`
    case 'map':
      return jsonOfValue(value, type)
    case 'null':
      return ''
  }
}

/** Array items are quoted when they are empty, look like NULL or hold braces, commas, quotes, backslashes or blanks. */
function quotedItem(item: Value, type: DataType, zone: string): string {
  if (item === null) return 'NULL'
  const text = textOfValue(item, type, zone)
  if (type.kind === 'array') return text
  return text === '' || /^null$/i.test(text) || /[{},"\\\s]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : text
}

function quotedField(item: Value, type: DataType, zone: string): string {
  if (item === null) return ''
  const text = textOfValue(item, type, zone)
  return text === '' || /[(),"\\\s]/.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text
}
