import type { DataType } from '../core/types.ts'
import type { ExactInteger, Interval, Value } from '../core/values.ts'
import { trimmedDecimalText } from './number-text.ts'
import { dateText, intervalIso, timestampJson } from './time/time-text.ts'

/** The JSON text of a value, as the "JSON form out" of sql.md §2; NULL is `null`. */
export function jsonOfValue(value: Value, type: DataType): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'string':
      return JSON.stringify(value)
    case 'json':
      return value as string
    case 'boolean':
      return value === true ? 'true' : 'false'
    case 'smallint':
    case 'int':
    case 'bigint':
      return String(value)
    case 'double':
      return Number.isFinite(value as number) ? String(value) : `"${String(value)}"`
    case 'decimal':
      return trimmedDecimalText(value as ExactInteger, type.scale)
    case 'date':
      return `"${dateText(value as number)}"`
    case 'timestamp':
    case 'timestamptz':
      return `"${timestampJson(value as ExactInteger)}"`
    case 'interval':
      return `"${intervalIso(value as Interval)}"`
    case 'bytes':
      return `"${Buffer.from(value as Uint8Array).toString('base64')}"`
    case 'array':
      return `[${(value as readonly Value[]).map((item) => jsonOfValue(item, type.element)).join(',')}]`
    case 'struct':
      return objectText(type.fields.map((f, i) => [f.name, jsonOfValue((value as readonly Value[])[i]!, f.type)]))
    case 'map':
      return objectText(
        [...(value as ReadonlyMap<Value, Value>)].map(([key, item]) => [
          keyText(key, type.key),
          jsonOfValue(item, type.value),
        ]),
      )
    case 'null':
      return 'null'
  }
}

const objectText = (entries: readonly (readonly [string, string])[]): string =>
  `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${item}`).join(',')}}`

/** Keys of an object are strings: other scalars stand in their JSON form without quotes. */
function keyText(key: Value, type: DataType): string {
  if (typeof key === 'string' && type.kind === 'string') return key
  const text = jsonOfValue(key, type)
  return text.startsWith('"') ? (JSON.parse(text) as string) : text
}
