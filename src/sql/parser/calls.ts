import { types } from '../../core/types.ts'
import type { Span } from '../../expr/bound.ts'
import type { CallExpr, Expr, Frame, FrameBound, LiteralExpr, Name, OrderItem, OverClause } from '../ast.ts'
import type { Cursor } from './cursor.ts'
import { duration, isBareDuration } from './intervals.ts'
import { typeNode } from './types.ts'

const text = (value: string, span: Span): LiteralExpr => ({ kind: 'literal', type: types.string, value, span })

const plain = { star: false, distinct: false, orderBy: [], withinGroup: [] } as const

const unitFirst: ReadonlySet<string> = new Set(['DATEDIFF', 'TIMESTAMPDIFF', 'TIMESTAMPADD'])

/** Calls whose arguments may be lengths of time in the free spelling. */
const durationCalls: ReadonlySet<string> = new Set([
  ...['TUMBLE', 'HOP', 'SESSION', 'CUMULATE'].flatMap((kind) => [kind, `${kind}_START`, `${kind}_END`]),
  'DATE_BIN',
])

export function durationOrExpression(cursor: Cursor): Expr {
  if (!isBareDuration(cursor)) return cursor.expression()
  const { interval, span } = duration(cursor)
  return { kind: 'literal', type: types.interval, value: interval, span }
}

/** The call whose name has been read and whose `(` is at hand. */
export function callBehind(cursor: Cursor, name: Name): Expr {
  const start = name.span.start
  const special = name.quoted ? undefined : specialCall(cursor, name)
  if (special !== undefined) return special
  cursor.expectSymbol('(')
  const star = cursor.isSymbol('*') && cursor.isSymbol(')', 1) && cursor.acceptSymbol('*')
  const distinct = !star && cursor.acceptWord('DISTINCT')
  if (!distinct && !star) cursor.acceptWord('ALL')
  const args: Expr[] = []
  const argNames: (Name | undefined)[] = []
  const durations = !name.quoted && durationCalls.has(name.text.toUpperCase())
  if (!star && !cursor.isSymbol(')') && !cursor.isWord('ORDER')) {
    cursor.list(() => {
      const first = args.length === 0 && unitFirst.has(name.text.toUpperCase()) ? bareUnit(cursor) : undefined
      args.push(first ?? (durations ? durationOrExpression(cursor) : cursor.expression()))
      argNames.push(cursor.acceptWord('AS') ? cursor.name('field name') : undefined)
    })
  }
  const orderBy = cursor.isWord('ORDER') ? orderByClause(cursor) : []
  cursor.expectSymbol(')')
  return {
    ...plain,
    kind: 'call',
    name,
    args,
    ...(argNames.some((arg) => arg !== undefined) ? { argNames } : {}),
    star,
    distinct,
    orderBy,
    ...callSuffix(cursor),
    span: cursor.spanFrom(start),
  }
}

/** `DAY` in TIMESTAMPDIFF(DAY, a, b). */
function bareUnit(cursor: Cursor): Expr | undefined {
  const token = cursor.token
  if (token.kind !== 'word' || !cursor.isSymbol(',', 1)) return undefined
  cursor.next()
  return text(token.text, token.span)
}

type Suffix = Pick<CallExpr, 'withinGroup' | 'filter' | 'over'>

function callSuffix(cursor: Cursor): Suffix {
  let withinGroup: readonly OrderItem[] = []
  if (cursor.acceptWord('WITHIN', 'GROUP')) {
    cursor.expectSymbol('(')
    withinGroup = orderByClause(cursor)
    cursor.expectSymbol(')')
  }
  let filter: Expr | undefined
  if (cursor.isWord('FILTER') && cursor.isSymbol('(', 1)) {
    cursor.next()
    cursor.expectSymbol('(')
    cursor.expectWord('WHERE')
    filter = cursor.expression()
    cursor.expectSymbol(')')
  }
  const over = cursor.acceptWord('OVER') ? overClause(cursor) : undefined
  return { withinGroup, ...(filter === undefined ? {} : { filter }), ...(over === undefined ? {} : { over }) }
}

export function orderByClause(cursor: Cursor): OrderItem[] {
  cursor.expectWord('ORDER', 'BY')
  return cursor.list(() => orderItem(cursor))
}

function orderItem(cursor: Cursor): OrderItem {
  const start = cursor.start
  const expr = cursor.expression()
  const descending = cursor.acceptWord('DESC')
  if (!descending) cursor.acceptWord('ASC')
  const nulls = cursor.acceptWord('NULLS', 'FIRST') ? 'first' : cursor.acceptWord('NULLS', 'LAST') ? 'last' : undefined
  return {
    kind: 'order-item',
    expr,
    descending,
    ...(nulls === undefined ? {} : { nulls }),
    span: cursor.spanFrom(start),
  }
}

function overClause(cursor: Cursor): OverClause | Name {
  if (!cursor.isSymbol('(')) return cursor.name('window name')
  return windowSpecification(cursor)
}

/** `( [base] [PARTITION BY …] [ORDER BY …] [frame] )`, also behind WINDOW w AS. */
export function windowSpecification(cursor: Cursor): OverClause {
  const start = cursor.start
  cursor.expectSymbol('(')
  if (cursor.isWord('ROWS', 'WINDOW')) cursor.unsupported('ROWS WINDOW', cursor.token.span)
  const starts = ['PARTITION', 'ROWS', 'RANGE', 'GROUPS']
  const base = cursor.isAlias() && !starts.includes(cursor.token.upper) ? cursor.name('window name') : undefined
  const partitionBy = cursor.acceptWord('PARTITION', 'BY') ? cursor.list(() => cursor.expression()) : []
  const orderBy = cursor.isWord('ORDER') ? orderByClause(cursor) : []
  const frame = cursor.isWord('ROWS') || cursor.isWord('RANGE') ? frameClause(cursor) : undefined
  if (!cursor.isSymbol(')')) cursor.fail(['PARTITION BY', 'ORDER BY', 'ROWS', 'RANGE', '")"'])
  cursor.next()
  const span = cursor.spanFrom(start)
  return {
    kind: 'over',
    ...(base === undefined ? {} : { base }),
    partitionBy,
    orderBy,
    ...(frame === undefined ? {} : { frame }),
    span,
  }
}

function frameClause(cursor: Cursor): Frame {
  const start = cursor.start
  const unit = cursor.next().upper === 'ROWS' ? 'rows' : 'range'
  if (!cursor.acceptWord('BETWEEN')) {
    const bound = frameBound(cursor)
    return { kind: 'frame', unit, start: bound, end: { kind: 'current-row' }, span: cursor.spanFrom(start) }
  }
  const low = frameBound(cursor)
  cursor.expectWord('AND')
  const high = frameBound(cursor)
  return { kind: 'frame', unit, start: low, end: high, span: cursor.spanFrom(start) }
}

function frameBound(cursor: Cursor): FrameBound {
  if (cursor.acceptWord('CURRENT', 'ROW')) return { kind: 'current-row' }
  if (cursor.acceptWord('UNBOUNDED', 'PRECEDING')) return { kind: 'unbounded-preceding' }
  if (cursor.acceptWord('UNBOUNDED', 'FOLLOWING')) return { kind: 'unbounded-following' }
  const distance = cursor.expression()
  if (cursor.acceptWord('PRECEDING')) return { kind: 'preceding', distance }
  if (cursor.acceptWord('FOLLOWING')) return { kind: 'following', distance }
  return cursor.fail(['PRECEDING', 'FOLLOWING'])
}

type Special = (cursor: Cursor, name: Name) => Expr | undefined

const specials: Readonly<Record<string, Special>> = {
  CAST: (cursor, name) => castCall(cursor, name, false),
  TRY_CAST: (cursor, name) => castCall(cursor, name, true),
  EXTRACT: extractCall,
  POSITION: positionCall,
  SUBSTRING: substringCall,
  TRIM: trimCall,
  FLOOR: floorCall,
  JSON_VALUE: jsonValueCall,
  JSON_OBJECT: jsonObjectCall,
}

function specialCall(cursor: Cursor, name: Name): Expr | undefined {
  const upper = name.text.toUpperCase()
  return Object.hasOwn(specials, upper) ? specials[upper]!(cursor, name) : undefined
}

const call = (cursor: Cursor, name: Name, args: readonly Expr[]): Expr => ({
  ...plain,
  kind: 'call',
  name,
  args,
  span: cursor.spanFrom(name.span.start),
})

function castCall(cursor: Cursor, name: Name, safe: boolean): Expr {
  cursor.expectSymbol('(')
  const operand = cursor.expression()
  cursor.expectWord('AS')
  const type = typeNode(cursor)
  cursor.expectSymbol(')')
  return { kind: 'cast', operand, type, safe, span: cursor.spanFrom(name.span.start) }
}

function extractCall(cursor: Cursor, name: Name): Expr {
  cursor.expectSymbol('(')
  const token = cursor.token
  if (token.kind !== 'word' && token.kind !== 'string') cursor.fail(['a time field such as HOUR'])
  cursor.next()
  cursor.expectWord('FROM')
  const operand = cursor.expression()
  cursor.expectSymbol(')')
  return call(cursor, name, [text(token.text, token.span), operand])
}

function positionCall(cursor: Cursor, name: Name): Expr {
  cursor.expectSymbol('(')
  // IN would be read as a list test by the expression parser: the grammar takes a tighter operand here.
  const first = cursor.operandBeforeIn()
  const rest = cursor.acceptWord('IN') ? [cursor.expression()] : commaArgs(cursor)
  cursor.expectSymbol(')')
  return call(cursor, name, [first, ...rest])
}

function commaArgs(cursor: Cursor): Expr[] {
  const args: Expr[] = []
  while (cursor.acceptSymbol(',')) args.push(cursor.expression())
  return args
}

function substringCall(cursor: Cursor, name: Name): Expr {
  cursor.expectSymbol('(')
  const args = [cursor.expression()]
  if (cursor.acceptWord('FROM')) {
    args.push(cursor.expression())
    if (cursor.acceptWord('FOR')) args.push(cursor.expression())
  } else args.push(...commaArgs(cursor))
  cursor.expectSymbol(')')
  return call(cursor, name, args)
}

function trimCall(cursor: Cursor, name: Name): Expr {
  cursor.expectSymbol('(')
  const side = cursor.acceptWord('LEADING')
    ? 'LTRIM'
    : cursor.acceptWord('TRAILING')
      ? 'RTRIM'
      : cursor.acceptWord('BOTH')
        ? 'TRIM'
        : undefined
  let args: Expr[]
  if (side !== undefined && cursor.acceptWord('FROM')) args = [cursor.expression()]
  else {
    const first = cursor.expression()
    args = cursor.acceptWord('FROM') ? [cursor.expression(), first] : [first, ...commaArgs(cursor)]
  }
  cursor.expectSymbol(')')
  return call(cursor, { ...name, text: side ?? name.text }, args)
}

function floorCall(cursor: Cursor, name: Name): Expr {
  cursor.expectSymbol('(')
  const args: Expr[] = [cursor.expression()]
  if (cursor.acceptWord('TO')) {
    const unit = cursor.token
    if (unit.kind !== 'word') cursor.fail(['a time unit such as HOUR'])
    cursor.next()
    args.push(text(unit.text, unit.span))
  } else args.push(...commaArgs(cursor))
  cursor.expectSymbol(')')
  return call(cursor, name, args)
}

function jsonValueCall(cursor: Cursor, name: Name): Expr {
  cursor.expectSymbol('(')
  const args = [cursor.expression(), ...commaArgs(cursor)]
  const type = cursor.acceptWord('RETURNING') ? typeNode(cursor) : undefined
  cursor.expectSymbol(')')
  const value = call(cursor, name, args)
  return type === undefined ? value : { kind: 'cast', operand: value, type, safe: false, span: value.span }
}

function jsonObjectCall(cursor: Cursor, name: Name): Expr {
  cursor.expectSymbol('(')
  const args: Expr[] = []
  if (!cursor.isSymbol(')')) {
    cursor.list(() => {
      args.push(cursor.expression())
      if (cursor.acceptWord('VALUE') || cursor.acceptSymbol(':')) args.push(cursor.expression())
    })
  }
  cursor.expectSymbol(')')
  return call(cursor, name, args)
}
