import { CHANGE, type ChangeCode } from '../../src/core/change.ts'
import type { Row } from '../../src/core/row-batch.ts'
import { type DataType, type Schema, types } from '../../src/core/types.ts'
import type { Value } from '../../src/core/values.ts'
import { caster } from '../../src/expr/cast/cast.ts'

const SYMBOLS: Readonly<Record<string, ChangeCode>> = {
  '+I': CHANGE.insert,
  '-U': CHANGE.updateBefore,
  '+U': CHANGE.updateAfter,
  '-D': CHANGE.delete,
}

/**
 * A row of a feed: cells separated by ` | ` in the order of the columns, each as CAST from text reads it; NULL is
 * NULL, '' the empty string. Times without a date are on 2026-01-01. An optional change symbol stands first. Cells of
 * arrays, maps and structs are JSON.
 */
export function parseRow(text: string, schema: Schema): Row {
  const symbol = /^(\+I|-U|\+U|-D) /.exec(text)?.[1]
  const cells = (symbol === undefined ? text : text.slice(3)).split(' | ')
  if (cells.length !== schema.fields.length) {
    throw new Error(`"${text}" has ${cells.length} cells, the stream has ${schema.fields.length} columns`)
  }
  const values = cells.map((cell, i) => parseCell(cell.trim(), schema.fields[i]!.type))
  return { values, change: symbol === undefined ? CHANGE.insert : SYMBOLS[symbol]! }
}

function parseCell(cell: string, type: DataType): Value {
  if (cell === 'NULL') return null
  if (type.kind === 'string') return cell === "''" ? '' : cell.replaceAll('\\n', '\n')
  if (type.kind === 'array' || type.kind === 'map' || type.kind === 'struct') return caster(types.json, type)(cell)
  const isTime = type.kind === 'timestamp' || type.kind === 'timestamptz'
  const full = isTime && /^\d\d:\d\d/.test(cell) ? `2026-01-01 ${cell}` : cell
  return caster(types.string, type)(full)
}
