import type { DataType } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import { decimalText, jsonText } from '../json/json-text.ts'

/** The text of a value in a CSV field: the JSON form without its quotes, nested values as JSON. */
export function csvText(value: Exclude<Value, null>, type: DataType): string {
  switch (type.kind) {
    case 'string':
    case 'json':
      return value as string
    case 'decimal':
      return decimalText(value as ExactInteger, type.scale)
    case 'date':
    case 'timestamp':
    case 'timestamptz':
    case 'interval':
    case 'bytes':
    case 'double':
      return jsonText(value, type, 'number').replaceAll('"', '')
    default:
      return jsonText(value, type, 'number')
  }
}

/** Writes fields with the quotes they need. */
export function quoteField(
  text: string,
  dialect: { readonly delimiter: string; readonly quote: string; readonly null: string },
): string {
  const { delimiter, quote } = dialect
  const edges = text.startsWith(' ') || text.endsWith(' ')
  const special =
    text.includes(delimiter) || text.includes('\n') || text.includes('\r') || (quote !== '' && text.includes(quote))
  if (!edges && !special && text !== dialect.null) return text
  return quote + text.replaceAll(quote, quote + quote) + quote
}
