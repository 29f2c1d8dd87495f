import type { Duration, Expr, FromItem, JoinFrom, Name, WindowKind } from '../ast.ts'
import type { Cursor } from './cursor.ts'
import { duration } from './intervals.ts'
import { isSchemeForm, schemeForm, uriLiteral } from './options.ts'
import { windowTableArguments, windowTableKind } from './windows.ts'

/** The comma-separated list behind FROM, joins inside. */
export function fromList(cursor: Cursor): FromItem[] {
  return cursor.list(() => joined(cursor))
}

function joined(cursor: Cursor): FromItem {
  const start = cursor.start
  let left = fromItem(cursor)
  for (;;) {
    const head = joinHead(cursor)
    if (head === undefined) return left
    left = joinTail(cursor, left, head, start)
  }
}

interface JoinHead {
  readonly type: JoinFrom['type']
  readonly natural: boolean
}

/** `[NATURAL] [INNER | LEFT …] JOIN`; nothing is read when no join follows. */
function joinHead(cursor: Cursor): JoinHead | undefined {
  const position = cursor.position
  const natural = cursor.acceptWord('NATURAL')
  const type = joinType(cursor)
  if (type !== undefined && cursor.acceptWord('JOIN')) return { type, natural }
  if (natural || cursor.position !== position) cursor.fail(['JOIN'])
  return undefined
}

function joinType(cursor: Cursor): JoinFrom['type'] | undefined {
  if (cursor.isWord('JOIN') || cursor.acceptWord('INNER')) return 'inner'
  if (cursor.acceptWord('CROSS')) return 'cross'
  if (cursor.acceptWord('ASOF')) return cursor.acceptWord('LEFT') ? 'asof-left' : 'asof'
  if (cursor.acceptWord('SEMI')) return 'semi'
  if (cursor.acceptWord('ANTI')) return 'anti'
  if (cursor.acceptWord('LEFT')) {
    if (cursor.acceptWord('SEMI')) return 'semi'
    if (cursor.acceptWord('ANTI')) return 'anti'
    cursor.acceptWord('OUTER')
    return 'left'
  }
  for (const type of ['right', 'full'] as const) {
    if (!cursor.acceptWord(type.toUpperCase())) continue
    cursor.acceptWord('OUTER')
    return type
  }
  return undefined
}

function joinTail(cursor: Cursor, left: FromItem, head: JoinHead, start: number): JoinFrom {
  const right = fromItem(cursor)
  let within = withinClause(cursor)
  let on: Expr | undefined
  let using: readonly Name[] = []
  if (cursor.acceptWord('ON')) on = cursor.expression()
  else if (cursor.acceptWord('USING')) using = cursor.parenthesised(() => cursor.name('column name'))
  else if (head.type !== 'cross' && !head.natural) cursor.fail(['ON', 'USING'])
  within ??= withinClause(cursor)
  const tolerance = cursor.acceptWord('TOLERANCE') ? duration(cursor) : undefined
  return {
    kind: 'join',
    ...head,
    left,
    right,
    ...(on === undefined ? {} : { on }),
    using,
    ...(within === undefined ? {} : { within }),
    ...(tolerance === undefined ? {} : { tolerance }),
    span: cursor.spanFrom(start),
  }
}

function withinClause(cursor: Cursor): readonly [Duration, Duration] | undefined {
  if (!cursor.acceptWord('WITHIN')) return undefined
  if (!cursor.acceptSymbol('(')) {
    const both = duration(cursor)
    return [both, both]
  }
  const before = duration(cursor)
  cursor.expectSymbol(',')
  const after = duration(cursor)
  cursor.expectSymbol(')')
  return [before, after]
}

type Unaliased = FromItem extends infer T
  ? T extends { columns: unknown }
    ? Omit<T, 'alias' | 'columns' | 'asOf'>
    : never
  : never

function fromItem(cursor: Cursor): FromItem {
  return cursor.nested(() => {
    if (cursor.isSymbol('(') && !startsQuery(cursor)) {
      cursor.expectSymbol('(')
      const inner = joined(cursor)
      cursor.expectSymbol(')')
      return inner
    }
    const start = cursor.start
    return aliased(cursor, unaliased(cursor, start), start)
  })
}

/** `(SELECT`, `((SELECT`, `(WITH`, `(VALUES`: a parenthesis that holds a query. */
function startsQuery(cursor: Cursor): boolean {
  let at = 0
  while (cursor.isSymbol('(', at)) at++
  return at > 0 && ['SELECT', 'WITH', 'VALUES', 'TABLE'].includes(cursor.ahead(at).upper) && !isTableForm(cursor, at)
}

/** `TABLE(`, which is a window and not `TABLE name`. */
const isTableForm = (cursor: Cursor, at: number): boolean =>
  cursor.ahead(at).upper === 'TABLE' && cursor.isSymbol('(', at + 1)

function unaliased(cursor: Cursor, start: number): Unaliased {
  const token = cursor.token
  if (token.kind === 'string') return { kind: 'from-uri', uri: uriLiteral(cursor), span: cursor.spanFrom(start) }
  const lateral = cursor.acceptWord('LATERAL')
  if (cursor.isSymbol('(')) return derived(cursor, lateral, start)
  if (cursor.isWord('TABLE') && cursor.isSymbol('(', 1)) return tableFunction(cursor, start)
  const window = windowTableKind(cursor)
  if (window !== undefined) return windowTable(cursor, window, start)
  if (cursor.isWord('UNNEST') && cursor.isSymbol('(', 1)) return unnest(cursor, start)
  if (isSchemeForm(cursor)) return { kind: 'from-uri', uri: schemeForm(cursor), span: cursor.spanFrom(start) }
  if (token.kind !== 'word' && token.kind !== 'quoted') {
    const isPath = token.kind === 'symbol' && /[./~*]/.test(token.text)
    const hint = isPath ? `quote a path: '${pathText(cursor.text, start)}'` : undefined
    return cursor.fail(['a stream name', "a 'uri'", 'a subquery', 'UNNEST'], hint)
  }
  const name = cursor.name('stream name')
  if (cursor.isSymbol('.') || cursor.isSymbol('/')) {
    const path = pathText(cursor.text, start)
    cursor.unsupported(
      'a name qualified by a namespace',
      { start, end: start + path.length },
      `quote a path: '${path}'`,
    )
  }
  if (!cursor.acceptSymbol('(')) return { kind: 'from-name', name, span: cursor.spanFrom(start) }
  const args = cursor.isSymbol(')') ? [] : cursor.list(() => cursor.expression())
  cursor.expectSymbol(')')
  const ordinality = cursor.acceptWord('WITH', 'ORDINALITY')
  return { kind: 'from-function', name, args, ordinality, span: cursor.spanFrom(start) }
}

/** What stands up to the next blank, comma, semicolon or parenthesis. */
const pathText = (text: string, start: number): string => /^[^\s,;()]*/.exec(text.slice(start))![0]

function derived(cursor: Cursor, lateral: boolean, start: number): Unaliased {
  cursor.expectSymbol('(')
  const query = cursor.query()
  cursor.expectSymbol(')')
  return { kind: 'from-query', query, lateral, span: cursor.spanFrom(start) }
}

/** `TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), size))`. */
function tableFunction(cursor: Cursor, start: number): Unaliased {
  cursor.next()
  cursor.expectSymbol('(')
  const window = windowTableKind(cursor)
  if (window === undefined) return cursor.fail(['TUMBLE', 'HOP', 'SESSION', 'CUMULATE'])
  const node = windowTable(cursor, window, start)
  cursor.expectSymbol(')')
  return { ...node, span: cursor.spanFrom(start) }
}

function windowTable(cursor: Cursor, window: WindowKind, start: number): Unaliased {
  cursor.next()
  cursor.expectSymbol('(')
  cursor.acceptWord('DATA')
  cursor.acceptSymbol('=>')
  const inputStart = cursor.start
  let input: FromItem
  if (cursor.acceptWord('TABLE')) {
    const name = cursor.name('stream name')
    input = { kind: 'from-name', name, columns: [], span: cursor.spanFrom(inputStart) }
  } else input = { ...unaliased(cursor, inputStart), columns: [] } as FromItem
  cursor.expectSymbol(',')
  const node = windowTableArguments(cursor, window, start)
  cursor.expectSymbol(')')
  return { kind: 'from-window', input, window: { ...node, span: cursor.spanFrom(start) }, span: cursor.spanFrom(start) }
}

function unnest(cursor: Cursor, start: number): Unaliased {
  cursor.next()
  cursor.expectSymbol('(')
  const list = cursor.expression()
  cursor.expectSymbol(')')
  const ordinality = cursor.acceptWord('WITH', 'ORDINALITY')
  return { kind: 'from-unnest', list, ordinality, span: cursor.spanFrom(start) }
}

/** FOR SYSTEM_TIME AS OF, then `[AS] alias [(columns)]`. */
function aliased(cursor: Cursor, item: Unaliased, start: number): FromItem {
  let asOf: Expr | undefined
  if (cursor.acceptWord('FOR')) {
    cursor.expectWord('SYSTEM_TIME', 'AS', 'OF')
    asOf = cursor.expression()
  }
  const alias = cursor.acceptWord('AS') || cursor.isAlias() ? cursor.name('alias') : undefined
  const columns =
    alias !== undefined && cursor.isSymbol('(') ? cursor.parenthesised(() => cursor.name('column name')) : []
  return {
    ...item,
    ...(alias === undefined ? {} : { alias }),
    columns,
    ...(asOf === undefined ? {} : { asOf }),
    span: cursor.spanFrom(start),
  } as FromItem
}
