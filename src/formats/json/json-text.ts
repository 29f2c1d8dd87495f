import type { DataType } from '../../core/types.ts'
import type { ExactInteger, Interval, Value } from '../../core/values.ts'
import { formatInterval } from '../../kernels/interval-text.ts'
import { formatDate, formatIso } from '../../kernels/iso-twin.ts'

/** How decimals are written. */
export type DecimalAs = 'number' | 'string'

/** A value in the JSON form of its type (sql.md §2, "JSON form out"). */
export function jsonText(value: Value, type: DataType, decimalAs: DecimalAs): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'double':
      return doubleText(value as number)
    case 'decimal': {
      const text = decimalText(value as ExactInteger, type.scale)
      return decimalAs === 'string' ? `"${text}"` : text
    }
    case 'json':
      return value as string
    case 'array':
      return `[${(value as readonly Value[]).map((item) => jsonText(item, type.element, decimalAs)).join(',')}]`
    case 'map': {
      const entries = [...(value as ReadonlyMap<Value, Value>)]
      const pairs = entries.map(([key, item]) => `${keyText(key, type.key)}:${jsonText(item, type.value, decimalAs)}`)
      return `{${pairs.join(',')}}`
    }
    case 'struct': {
      const fields = value as readonly Value[]
      const pairs = type.fields.map((f, i) => `${JSON.stringify(f.name)}:${jsonText(fields[i]!, f.type, decimalAs)}`)
      return `{${pairs.join(',')}}`
    }
    default:
      return scalarText(value, type)
  }
}

function scalarText(value: Exclude<Value, null>, type: DataType): string {
  switch (type.kind) {
    case 'boolean':
    case 'smallint':
    case 'int':
    case 'bigint':
      return String(value)
    case 'date':
      return `"${formatDate(value as number)}"`
    case 'timestamp':
    case 'timestamptz':
      return `"${formatIso(value as ExactInteger)}"`
    case 'interval':
      return `"${formatInterval(value as Interval)}"`
    case 'bytes':
      return `"${base64(value as Uint8Array)}"`
    default:
      return JSON.stringify(value)
  }
}

/** Keys of a JSON object are strings, whatever the key's type. */
function keyText(key: Value, type: DataType): string {
  const text = jsonText(key, type, 'number')
  return text.startsWith('"') ? text : JSON.stringify(text)
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength).toString('base64')

/** Shortest form that reads back; what JSON has no number for is quoted. */
function doubleText(value: number): string {
  return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`
}

/** A scaled integer with its fraction's trailing zeros left out. */
export function decimalText(unscaled: ExactInteger, scale: number): string {
  const negative = unscaled < 0
  const digits = String(unscaled)
    .replace('-', '')
    .padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}
