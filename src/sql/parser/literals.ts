import { type DataType, decimal, types } from '../../core/types.ts'
import { exact, INT64_MAX, type Value } from '../../core/values.ts'
import type { Span } from '../../expr/bound.ts'
import type { LiteralExpr } from '../ast.ts'
import type { Cursor } from './cursor.ts'
import { intervalBody } from './intervals.ts'
import { parseDate, parseTimestamp } from './times.ts'

const literal = (type: DataType, value: Value, span: Span): LiteralExpr => ({ kind: 'literal', type, value, span })

/** The literal at hand, or undefined when none starts here. */
export function parseLiteral(cursor: Cursor): LiteralExpr | undefined {
  const token = cursor.token
  switch (token.kind) {
    case 'number':
      cursor.next()
      return numberLiteral(cursor, token.text, token.span)
    case 'string':
      cursor.next()
      return literal(types.string, token.text, token.span)
    case 'bytes':
      cursor.next()
      return literal(
        types.bytes,
        Uint8Array.from(token.text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
        token.span,
      )
    case 'word':
      return wordLiteral(cursor)
    default:
      return undefined
  }
}

function wordLiteral(cursor: Cursor): LiteralExpr | undefined {
  const token = cursor.token
  const constant = { TRUE: true, FALSE: false, NULL: null }[token.upper]
  if (constant !== undefined) {
    cursor.next()
    return literal(constant === null ? types.null : types.boolean, constant, token.span)
  }
  if (token.upper === 'INTERVAL') {
    cursor.next()
    const interval = intervalBody(cursor, token.span.start)
    return literal(types.interval, interval, cursor.spanFrom(token.span.start))
  }
  if (token.upper === 'DATE' && cursor.ahead(1).kind === 'string') return dateLiteral(cursor)
  if (token.upper === 'TIME' && cursor.ahead(1).kind === 'string') {
    cursor.unsupported('the type TIME', token.span, 'use a TIMESTAMP or a STRING')
  }
  return timestampLiteral(cursor)
}

function dateLiteral(cursor: Cursor): LiteralExpr {
  const start = cursor.start
  cursor.next()
  const text = cursor.string('a date')
  const value = parseDate(text)
  if (value !== undefined) return literal(types.date, value, cursor.spanFrom(start))
  return cursor.raise('sql_invalid_literal', `'${text}' is no valid date`, cursor.spanFrom(start), {
    hint: "write DATE '2026-01-31', year 1 to 9999",
  })
}

function timestampLiteral(cursor: Cursor): LiteralExpr | undefined {
  const start = cursor.start
  const zoned = ['TIMESTAMP', 'WITH', 'TIME', 'ZONE']
  const type =
    cursor.isWord(...zoned) && cursor.ahead(4).kind === 'string'
      ? types.timestamptz
      : cursor.isWord('TIMESTAMPTZ') && cursor.ahead(1).kind === 'string'
        ? types.timestamptz
        : cursor.isWord('TIMESTAMP') && cursor.ahead(1).kind === 'string'
          ? types.timestamp
          : undefined
  if (type === undefined) return undefined
  while (cursor.token.kind === 'word') cursor.next()
  const text = cursor.string('a timestamp')
  const value = parseTimestamp(text)
  if (value !== undefined) return literal(type, value, cursor.spanFrom(start))
  return cursor.raise('sql_invalid_literal', `'${text}' is no valid timestamp`, cursor.spanFrom(start), {
    hint: "write TIMESTAMP '2026-01-31 10:00:00.5'",
  })
}

function numberLiteral(cursor: Cursor, text: string, span: Span): LiteralExpr {
  if (/^0[xX]/.test(text)) return integerLiteral(cursor, BigInt(text), span)
  if (/[eE]/.test(text)) {
    const value = Number(text)
    if (Number.isFinite(value)) return literal(types.double, value, span)
    return overflow(cursor, text, span, 'a DOUBLE reaches 1.7976931348623157e308')
  }
  const dot = text.indexOf('.')
  if (dot < 0 || dot === text.length - 1) return integerLiteral(cursor, BigInt(text.replace('.', '')), span)
  const scale = text.length - dot - 1
  const digits = text.replace('.', '').replace(/^0+/, '')
  const precision = Math.max(digits.length, scale)
  if (precision > 38) return overflow(cursor, text, span, 'a DECIMAL has at most 38 digits')
  return literal(decimal(precision, scale), exact(BigInt(digits === '' ? '0' : digits)), span)
}

function integerLiteral(cursor: Cursor, value: bigint, span: Span): LiteralExpr {
  if (value <= INT64_MAX) return literal(types.bigint, exact(value), span)
  if (value < 10n ** 38n) return literal(decimal(38, 0), value, span)
  return overflow(cursor, cursor.text.slice(span.start, span.end), span, 'a whole number has at most 38 digits')
}

const overflow = (cursor: Cursor, text: string, span: Span, hint: string): never =>
  cursor.raise('sql_literal_overflow', `the number ${text} is too large`, span, { hint })

/** −x for a number literal, so that −9223372036854775808 is a BIGINT; undefined for other types. */
export function negate(operand: LiteralExpr, span: Span): LiteralExpr | undefined {
  const value = operand.value
  if (typeof value === 'number')
    return literal(operand.type, value === 0 && operand.type.kind !== 'double' ? 0 : -value, span)
  if (typeof value !== 'bigint') return undefined
  return literal(value === INT64_MAX + 1n ? types.bigint : operand.type, -value, span)
}
