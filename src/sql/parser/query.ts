import { nearestNames } from '../../core/suggest.ts'
import type {
  CommonTable,
  Expr,
  Query,
  QueryBody,
  RowExpr,
  Select,
  SelectItem,
  SetOperation,
  StarItem,
  WindowNode,
} from '../ast.ts'
import { windowSpecification } from './calls.ts'
import type { Cursor } from './cursor.ts'
import { fromList } from './from.ts'
import { lineOf } from './options.ts'
import { clauseWords, TailReader } from './trailing.ts'
import { isWindowClause, windowClause } from './windows.ts'

/** A SELECT block and the WINDOW clause that was read inside it; the clause belongs to the query. */
interface Block {
  readonly body: QueryBody
  readonly window: WindowNode | undefined
}

export function parseQuery(cursor: Cursor): Query {
  const start = cursor.start
  const { recursive, ctes } = withClause(cursor)
  const block = setOperations(cursor, 0)
  const tail = new TailReader(cursor)
  tail.adopt(block.window)
  tail.readAll()
  const { orderBy, limit, offset, trailing } = tail.result
  return {
    kind: 'query',
    recursive,
    ctes,
    body: block.body,
    orderBy,
    ...(limit === undefined ? {} : { limit }),
    ...(offset === undefined ? {} : { offset }),
    trailing,
    span: cursor.spanFrom(start),
  }
}

function withClause(cursor: Cursor): { recursive: boolean; ctes: readonly CommonTable[] } {
  if (!cursor.acceptWord('WITH')) return { recursive: false, ctes: [] }
  const recursive = cursor.acceptWord('RECURSIVE')
  const seen = new Map<string, CommonTable>()
  const ctes = cursor.list((): CommonTable => {
    const start = cursor.start
    const name = cursor.name('query name')
    const columns = cursor.isSymbol('(') ? cursor.parenthesised(() => cursor.name('column name')) : []
    cursor.expectWord('AS')
    cursor.expectSymbol('(')
    const query = cursor.query()
    cursor.expectSymbol(')')
    const cte: CommonTable = { kind: 'cte', name, columns, query, span: cursor.spanFrom(start) }
    const key = name.quoted ? name.text : name.text.toLowerCase()
    const before = seen.get(key)
    if (before !== undefined) {
      cursor.raise('sql_duplicate_clause', `WITH names "${name.text}" twice`, name.span, {
        hint: `the first one is on line ${lineOf(cursor.text, before.span.start)}; rename one of the two`,
      })
    }
    seen.set(key, cte)
    return cte
  })
  return { recursive, ctes }
}

const setPower = { union: 1, except: 1, intersect: 2 } as const

function setOperations(cursor: Cursor, minimum: number): Block {
  const start = cursor.start
  let block = cursor.nested(() => queryTerm(cursor))
  for (;;) {
    const op = (['union', 'intersect', 'except'] as const).find((word) => cursor.isWord(word.toUpperCase()))
    if (op === undefined || setPower[op] <= minimum) return block
    cursor.next()
    const all = cursor.acceptWord('ALL')
    if (!all) cursor.acceptWord('DISTINCT')
    const right = setOperations(cursor, setPower[op])
    const window = right.window ?? block.window
    const body: SetOperation = {
      kind: 'set-operation',
      op,
      all,
      left: block.body,
      right: right.body,
      span: cursor.spanFrom(start),
    }
    block = { body, window }
  }
}

function queryTerm(cursor: Cursor): Block {
  const start = cursor.start
  if (cursor.acceptSymbol('(')) {
    const body = cursor.query()
    cursor.expectSymbol(')')
    return { body, window: undefined }
  }
  if (cursor.isWord('SELECT')) return selectBlock(cursor)
  if (cursor.acceptWord('VALUES')) {
    const rows = cursor.list(() => valuesRow(cursor))
    return { body: { kind: 'values', rows, span: cursor.spanFrom(start) }, window: undefined }
  }
  if (cursor.acceptWord('TABLE')) {
    const name = cursor.name('table name')
    return { body: { kind: 'table', name, span: cursor.spanFrom(start) }, window: undefined }
  }
  return cursor.fail(['SELECT', 'VALUES', 'TABLE', 'WITH', '"("'])
}

function valuesRow(cursor: Cursor): RowExpr {
  const start = cursor.start
  const items = cursor.parenthesised(() => cursor.expression())
  return { kind: 'row', items, span: cursor.spanFrom(start) }
}

function selectBlock(cursor: Cursor): Block {
  const start = cursor.start
  cursor.expectWord('SELECT')
  const distinct = cursor.acceptWord('DISTINCT')
  const distinctOn = distinct && cursor.acceptWord('ON') ? cursor.parenthesised(() => cursor.expression()) : []
  if (!distinct) cursor.acceptWord('ALL')
  const items = cursor.list(() => selectItem(cursor))
  const from = cursor.acceptWord('FROM') ? fromList(cursor) : []
  let window = acceptWindow(cursor)
  const where = cursor.acceptWord('WHERE') ? cursor.expression() : undefined
  window = acceptWindow(cursor, window)
  const { groupBy, groupAll } = groupClause(cursor)
  const having = cursor.acceptWord('HAVING') ? cursor.expression() : undefined
  window = acceptWindow(cursor, window)
  const namedWindows = cursor.isWord('WINDOW') && !isWindowClause(cursor) ? namedWindowList(cursor) : []
  const qualify = cursor.acceptWord('QUALIFY') ? cursor.expression() : undefined
  const body: Select = {
    kind: 'select',
    distinct,
    distinctOn,
    items,
    from,
    ...(where === undefined ? {} : { where }),
    groupBy,
    groupAll,
    ...(having === undefined ? {} : { having }),
    ...(qualify === undefined ? {} : { qualify }),
    namedWindows,
    span: cursor.spanFrom(start),
  }
  return { body, window }
}

function acceptWindow(cursor: Cursor, before?: WindowNode): WindowNode | undefined {
  if (!isWindowClause(cursor)) return before
  const window = windowClause(cursor)
  if (before === undefined) return window
  return cursor.raise('sql_duplicate_clause', 'WINDOW is given twice', window.span, {
    hint: `the first one is on line ${lineOf(cursor.text, before.span.start)}; keep one of the two`,
  })
}

function groupClause(cursor: Cursor): { groupBy: readonly Expr[]; groupAll: boolean } {
  if (!cursor.acceptWord('GROUP')) return { groupBy: [], groupAll: false }
  cursor.expectWord('BY')
  if (cursor.acceptWord('ALL')) return { groupBy: [], groupAll: true }
  const sets = cursor.token
  const isSets = cursor.isWord('GROUPING', 'SETS') || (cursor.isSymbol('(', 1) && /^(ROLLUP|CUBE)$/.test(sets.upper))
  if (isSets) cursor.unsupported(sets.upper === 'GROUPING' ? 'GROUPING SETS' : sets.upper, sets.span)
  return { groupBy: cursor.list(() => cursor.expression()), groupAll: false }
}

function namedWindowList(cursor: Cursor): Select['namedWindows'] {
  cursor.expectWord('WINDOW')
  return cursor.list(() => {
    const name = cursor.name('window name')
    if (!cursor.acceptWord('AS')) cursor.fail(['"("', 'AS'])
    return { name, over: windowSpecification(cursor) }
  })
}

function selectItem(cursor: Cursor): SelectItem {
  const start = cursor.start
  if (cursor.acceptSymbol('*')) return starItem(cursor, undefined, start)
  if (cursor.isWord('FROM')) cursor.fail(['a column', 'an expression', '"*"'])
  const expr = cursor.expression()
  if (expr.kind === 'column' && cursor.isSymbol('.') && cursor.isSymbol('*', 1)) {
    cursor.expectSymbol('.')
    cursor.expectSymbol('*')
    return starItem(cursor, expr, start)
  }
  let primaryKey = cursor.acceptWord('PRIMARY', 'KEY')
  const alias = cursor.acceptWord('AS') || cursor.isAlias() ? cursor.name('column name') : undefined
  primaryKey = cursor.acceptWord('PRIMARY', 'KEY') || primaryKey
  return { kind: 'item', expr, ...(alias === undefined ? {} : { alias }), primaryKey, span: cursor.spanFrom(start) }
}

function starItem(cursor: Cursor, of: StarItem['of'], start: number): StarItem {
  const except: StarItem['except'][number][] = []
  const replace: StarItem['replace'][number][] = []
  for (;;) {
    if (cursor.isWord('EXCEPT') && cursor.isSymbol('(', 1) && cursor.ahead(2).upper !== 'SELECT') {
      cursor.next()
      except.push(...cursor.parenthesised(() => cursor.name('column name')))
    } else if (cursor.acceptWord('REPLACE')) {
      replace.push(
        ...cursor.parenthesised(() => {
          const expr = cursor.expression()
          cursor.expectWord('AS')
          return { expr, name: cursor.name('column name') }
        }),
      )
    } else break
  }
  return { kind: 'star', ...(of === undefined ? {} : { of }), except, replace, span: cursor.spanFrom(start) }
}

/** Fails at a token behind a complete query or statement; a near keyword is offered. */
export function failBehind(cursor: Cursor, expected: readonly string[]): never {
  const token = cursor.token
  const before = cursor.position > 0 ? cursor.ahead(-1) : undefined
  for (const candidate of [token, before]) {
    if (candidate === undefined || candidate.kind !== 'word') continue
    const near = nearestNames(candidate.text, clauseWords)[0]
    if (near === undefined || near === candidate.upper) continue
    cursor.raise('sql_unexpected_token', `unexpected "${candidate.text}"`, candidate.span, {
      hint: `did you mean ${near}?`,
      suggestions: [{ replace: candidate.text, with: near }],
    })
  }
  return cursor.fail(expected)
}
