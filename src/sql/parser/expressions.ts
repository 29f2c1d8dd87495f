import type { BinaryExpr, CaseExpr, Expr, IsExpr, Name, UnaryExpr } from '../ast.ts'
import { reservedWords } from '../tokens.ts'
import { callBehind } from './calls.ts'
import type { Cursor } from './cursor.ts'
import { negate, parseLiteral } from './literals.ts'
import { typeNode } from './types.ts'

/** Binding powers, loosest first (sql.md §1). */
const power = { or: 1, and: 2, not: 3, compare: 4, other: 5, add: 6, multiply: 7, zone: 8, unary: 9, cast: 10 } as const

const symbolPower: ReadonlyMap<string, number> = new Map([
  ...['=', '<>', '!=', '<', '<=', '>', '>=', '~', '~*', '!~', '!~*'].map((op) => [op, power.compare] as const),
  ...['||', '->', '->>', '#>', '#>>', '@>', '?', '&', '#', '<<', '>>', '|'].map((op) => [op, power.other] as const),
  ...['+', '-'].map((op) => [op, power.add] as const),
  ...['*', '/', '%'].map((op) => [op, power.multiply] as const),
])

/** Operators of one chain `a + b + …`, and of one chain of AND or OR. */
const CHAIN_MAX = 800
const LOGICAL_CHAIN_MAX = 5000

export const parseExpression = (cursor: Cursor): Expr => expression(cursor, 0)

/** An expression that ends before the comparison words, IN among them. */
export const parseOperand = (cursor: Cursor): Expr => expression(cursor, power.compare)

function expression(cursor: Cursor, minimum: number): Expr {
  const start = cursor.start
  let left = cursor.nested(() => prefix(cursor))
  for (let length = 0; ; length++) {
    const next = infix(cursor, left, minimum, start)
    if (next === undefined) return left
    left = next
    const logicalChain = left.kind === 'binary' && (left.op === 'AND' || left.op === 'OR')
    cursor.checkChain(length, logicalChain ? LOGICAL_CHAIN_MAX : CHAIN_MAX)
  }
}

function prefix(cursor: Cursor): Expr {
  const start = cursor.start
  if (cursor.isWord('NOT') && !cursor.isWord('NOT', 'NULL')) {
    cursor.next()
    const operand = expression(cursor, power.not - 1)
    return { kind: 'unary', op: 'NOT', operand, span: cursor.spanFrom(start) }
  }
  for (const op of ['-', '+', '~'] as const) {
    if (!cursor.acceptSymbol(op)) continue
    const operand = expression(cursor, power.unary - 1)
    const span = cursor.spanFrom(start)
    const constant = op === '-' && operand.kind === 'literal' ? negate(operand, span) : undefined
    return constant ?? ({ kind: 'unary', op, operand, span } satisfies UnaryExpr)
  }
  return postfix(cursor, primary(cursor), start)
}

/** The next operator with its right side, or undefined when none binds tighter than `minimum`. */
function infix(cursor: Cursor, left: Expr, minimum: number, start: number): Expr | undefined {
  const token = cursor.token
  if (token.kind === 'symbol') {
    const binding = symbolPower.get(token.text)
    return binding === undefined || binding <= minimum ? undefined : symbolInfix(cursor, left, binding, start)
  }
  if (token.kind !== 'word') return undefined
  if (token.upper === 'OR' && power.or > minimum) return logical(cursor, left, 'OR', power.or, start)
  if (token.upper === 'AND' && power.and > minimum) return logical(cursor, left, 'AND', power.and, start)
  if (cursor.isWord('AT', 'TIME', 'ZONE') && power.zone > minimum) return atTimeZone(cursor, left, start)
  return power.compare > minimum ? wordComparison(cursor, left, start) : undefined
}

function logical(cursor: Cursor, left: Expr, op: string, binding: number, start: number): BinaryExpr {
  const opSpan = cursor.next().span
  const right = expression(cursor, binding)
  return { kind: 'binary', op, left, right, opSpan, span: cursor.spanFrom(start) }
}

function atTimeZone(cursor: Cursor, left: Expr, start: number): BinaryExpr {
  const opSpan = cursor.token.span
  cursor.expectWord('AT', 'TIME', 'ZONE')
  const right = expression(cursor, power.zone)
  return { kind: 'binary', op: 'AT TIME ZONE', left, right, opSpan, span: cursor.spanFrom(start) }
}

function symbolInfix(cursor: Cursor, left: Expr, binding: number, start: number): Expr {
  const token = cursor.next()
  const op = token.text === '!=' ? '<>' : token.text
  const all = cursor.isWord('ALL')
  if (binding === power.compare && cursor.isSymbol('(', 1) && (all || cursor.isWord('ANY') || cursor.isWord('SOME'))) {
    cursor.next()
    cursor.expectSymbol('(')
    const list = startsQuery(cursor) ? cursor.query() : cursor.expression()
    cursor.expectSymbol(')')
    const span = cursor.spanFrom(start)
    return { kind: 'quantified', op, quantifier: all ? 'all' : 'any', operand: left, list, span }
  }
  const right = expression(cursor, binding)
  return { kind: 'binary', op, left, right, opSpan: token.span, span: cursor.spanFrom(start) }
}

function wordComparison(cursor: Cursor, left: Expr, start: number): Expr | undefined {
  if (cursor.isWord('IS')) return isTest(cursor, left, start)
  const negated = cursor.isWord('NOT') && ['BETWEEN', 'IN', 'LIKE', 'ILIKE', 'SIMILAR'].includes(cursor.ahead(1).upper)
  const word = cursor.ahead(negated ? 1 : 0).upper
  if (!['BETWEEN', 'IN', 'LIKE', 'ILIKE', 'SIMILAR'].includes(word)) return undefined
  if (word === 'SIMILAR' && cursor.ahead(negated ? 2 : 1).upper !== 'TO') return undefined
  if (negated) cursor.next()
  const token = cursor.next()
  switch (word) {
    case 'BETWEEN':
      return between(cursor, left, negated, start)
    case 'IN':
      return inTest(cursor, left, negated, start)
    case 'SIMILAR':
      return cursor.unsupported('SIMILAR TO', token.span, 'use LIKE or the operator ~')
    default:
      return like(cursor, left, word === 'ILIKE', negated, start)
  }
}

function isTest(cursor: Cursor, operand: Expr, start: number): IsExpr {
  cursor.expectWord('IS')
  const negated = cursor.acceptWord('NOT')
  if (cursor.acceptWord('DISTINCT', 'FROM')) {
    const other = expression(cursor, power.compare)
    return { kind: 'is', operand, test: 'distinct', other, negated, span: cursor.spanFrom(start) }
  }
  for (const test of ['null', 'true', 'false', 'unknown', 'json'] as const) {
    if (cursor.acceptWord(test.toUpperCase())) {
      return { kind: 'is', operand, test, negated, span: cursor.spanFrom(start) }
    }
  }
  return cursor.fail(['NULL', 'TRUE', 'FALSE', 'UNKNOWN', 'DISTINCT FROM'])
}

function between(cursor: Cursor, operand: Expr, negated: boolean, start: number): Expr {
  const symmetric = cursor.acceptWord('SYMMETRIC')
  const low = expression(cursor, power.compare)
  cursor.expectWord('AND')
  const high = expression(cursor, power.compare)
  return { kind: 'between', operand, low, high, symmetric, negated, span: cursor.spanFrom(start) }
}

function inTest(cursor: Cursor, operand: Expr, negated: boolean, start: number): Expr {
  cursor.expectSymbol('(')
  const list = startsQuery(cursor) ? cursor.query() : cursor.list(() => cursor.expression())
  cursor.expectSymbol(')')
  return { kind: 'in', operand, list, negated, span: cursor.spanFrom(start) }
}

function like(cursor: Cursor, operand: Expr, insensitive: boolean, negated: boolean, start: number): Expr {
  const pattern = expression(cursor, power.compare)
  const escaped = cursor.acceptWord('ESCAPE') ? expression(cursor, power.compare) : undefined
  const span = cursor.spanFrom(start)
  return {
    kind: 'like',
    operand,
    pattern,
    ...(escaped === undefined ? {} : { escape: escaped }),
    insensitive,
    negated,
    span,
  }
}

/** `.name`, `[i]`, `[*]`, `.*.` and `::type` behind a primary. */
function postfix(cursor: Cursor, operand: Expr, start: number): Expr {
  let expr = operand
  for (let length = 0; ; length++) {
    cursor.checkChain(length, CHAIN_MAX)
    if (cursor.isSymbol('.') && cursor.isSymbol('*', 1)) {
      if (!cursor.isSymbol('.', 2) && !cursor.isSymbol('[', 2)) return expr
      cursor.expectSymbol('.')
      cursor.expectSymbol('*')
      expr = { kind: 'wildcard', operand: expr, span: cursor.spanFrom(start) }
    } else if (cursor.acceptSymbol('.')) {
      const name = cursor.name('field name')
      expr = { kind: 'field', operand: expr, name, span: cursor.spanFrom(start) }
    } else if (cursor.acceptSymbol('[')) {
      expr = subscript(cursor, expr, start)
    } else if (cursor.acceptSymbol('::')) {
      const type = typeNode(cursor)
      expr = { kind: 'cast', operand: expr, type, safe: false, span: cursor.spanFrom(start) }
    } else return expr
  }
}

function subscript(cursor: Cursor, operand: Expr, start: number): Expr {
  if (cursor.acceptSymbol('*')) {
    cursor.expectSymbol(']')
    return { kind: 'wildcard', operand, span: cursor.spanFrom(start) }
  }
  const index = cursor.expression()
  cursor.expectSymbol(']')
  return { kind: 'index', operand, index, span: cursor.spanFrom(start) }
}

const bareCalls: ReadonlySet<string> = new Set(['CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME', 'LOCALTIMESTAMP'])
const callableReserved: ReadonlySet<string> = new Set(['LEFT', 'RIGHT', 'JOIN', 'ARRAY', 'CAST'])

function primary(cursor: Cursor): Expr {
  const literal = parseLiteral(cursor)
  if (literal !== undefined) return literal
  const token = cursor.token
  switch (token.kind) {
    case 'parameter':
      cursor.next()
      return { kind: 'parameter', name: token.text, span: token.span }
    case 'quoted':
      return path(cursor)
    case 'word':
      return wordPrimary(cursor)
    case 'symbol':
      if (token.text === '(') return parenthesis(cursor)
      if (token.text === '[') return arrayItems(cursor, token.span.start)
  }
  return cursor.fail(['an expression'], doubledHint(cursor))
}

/** Operators of other languages. */
function doubledHint(cursor: Cursor): string | undefined {
  const before = cursor.ahead(-1)
  if (cursor.isSymbol('=') && before.text === '=') return 'write = once'
  return cursor.isSymbol('&') && before.text === '&' ? 'write AND' : undefined
}

function wordPrimary(cursor: Cursor): Expr {
  const token = cursor.token
  const start = token.span.start
  if (token.upper === 'CASE') return caseExpression(cursor)
  if (token.upper === 'EXISTS') return exists(cursor)
  if (token.upper === 'ARRAY' && cursor.isSymbol('[', 1)) {
    cursor.next()
    return arrayItems(cursor, start)
  }
  if (token.upper === 'MAP' && cursor.isSymbol('[', 1)) {
    cursor.next()
    const items = bracketed(cursor)
    return { kind: 'map', items, span: cursor.spanFrom(start) }
  }
  if (callableReserved.has(token.upper) && cursor.isSymbol('(', 1)) {
    cursor.next()
    return callBehind(cursor, { kind: 'name', text: token.text, quoted: false, span: token.span })
  }
  if (bareCalls.has(token.upper) && !cursor.isSymbol('(', 1) && !cursor.isSymbol('.', 1)) {
    cursor.next()
    const name: Name = { kind: 'name', text: token.text, quoted: false, span: token.span }
    const none = { args: [], star: false, distinct: false, orderBy: [], withinGroup: [] }
    return { kind: 'call', name, ...none, span: token.span }
  }
  if (reservedWords.has(token.upper) && !standsAsName(cursor)) return cursor.fail(['an expression'])
  return path(cursor)
}

const clauseStarts: ReadonlySet<string> = new Set('FROM WHERE SELECT AND OR WHEN THEN ELSE END ON INTO AS'.split(' '))
const behindName: ReadonlySet<string> = new Set([',', ')', '.', '=', '<>', '<', '>', '+', '-', '*', '/', ';'])

/** A reserved word where a name seems to be meant, as in `SELECT order FROM t`. */
function standsAsName(cursor: Cursor): boolean {
  if (cursor.isAny(clauseStarts)) return false
  const next = cursor.ahead(1)
  return next.kind === 'symbol' ? behindName.has(next.text) : next.upper === 'FROM' || next.upper === 'AS'
}

/** A name, a dotted path, or a call. */
function path(cursor: Cursor): Expr {
  const start = cursor.start
  const first = cursor.name('name')
  if (cursor.isSymbol('(')) return callBehind(cursor, first)
  const parts = [first]
  while (cursor.isSymbol('.') && !cursor.isSymbol('*', 1)) {
    cursor.next()
    cursor.checkChain(parts.length, CHAIN_MAX)
    parts.push(cursor.name('name'))
  }
  return { kind: 'column', parts, span: cursor.spanFrom(start) }
}

function parenthesis(cursor: Cursor): Expr {
  const start = cursor.start
  cursor.expectSymbol('(')
  if (startsQuery(cursor)) {
    const query = cursor.query()
    cursor.expectSymbol(')')
    return { kind: 'subquery', query, span: cursor.spanFrom(start) }
  }
  const items = cursor.list(() => cursor.expression())
  cursor.expectSymbol(')')
  return items.length === 1 ? items[0]! : { kind: 'row', items, span: cursor.spanFrom(start) }
}

const queryWords: ReadonlySet<string> = new Set(['SELECT', 'WITH', 'VALUES', 'TABLE'])

const startsQuery = (cursor: Cursor): boolean => cursor.isAny(queryWords)

function bracketed(cursor: Cursor): Expr[] {
  cursor.expectSymbol('[')
  const items = cursor.isSymbol(']') ? [] : cursor.list(() => cursor.expression())
  cursor.expectSymbol(']')
  return items
}

function arrayItems(cursor: Cursor, start: number): Expr {
  const items = bracketed(cursor)
  return { kind: 'array', items, span: cursor.spanFrom(start) }
}

function exists(cursor: Cursor): Expr {
  const start = cursor.start
  cursor.next()
  cursor.expectSymbol('(')
  const query = cursor.query()
  cursor.expectSymbol(')')
  return { kind: 'exists', query, span: cursor.spanFrom(start) }
}

function caseExpression(cursor: Cursor): CaseExpr {
  const start = cursor.start
  cursor.next()
  const operand = cursor.isWord('WHEN') ? undefined : cursor.expression()
  const branches: { when: Expr; result: Expr }[] = []
  while (cursor.acceptWord('WHEN')) {
    const when = cursor.expression()
    cursor.expectWord('THEN')
    branches.push({ when, result: cursor.expression() })
  }
  if (branches.length === 0) cursor.fail(['WHEN'])
  const otherwise = cursor.acceptWord('ELSE') ? cursor.expression() : undefined
  if (!cursor.acceptWord('END')) cursor.fail(otherwise === undefined ? ['WHEN', 'ELSE', 'END'] : ['END'])
  return {
    kind: 'case',
    ...(operand === undefined ? {} : { operand }),
    branches,
    ...(otherwise === undefined ? {} : { otherwise }),
    span: cursor.spanFrom(start),
  }
}
