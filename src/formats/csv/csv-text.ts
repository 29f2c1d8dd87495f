import type { DataType } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import type { CsvOptions } from '../decoder.ts'
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

/** Writes a field with the quotes that it needs. */
export function quoteField(text: string, options: CsvOptions): string {
  const { delimiter, quote } = options
  const edges = text.startsWith(' ') || text.endsWith(' ')
  const special = text.includes(delimiter) || text.includes('\n') || text.includes('\r') || text.includes(quote)
  if (!edges && !special && text !== options.null) return text
  const before = options.escape ?? quote
  const escaped = before === quote ? text : text.replaceAll(before, before + before)
  return quote + escaped.replaceAll(quote, before + quote) + quote
}
