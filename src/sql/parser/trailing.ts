import type { Span } from '../../expr/bound.ts'
import type { EmitNode, Expr, OptionNode, OrderItem, Target, Trailing, WindowNode } from '../ast.ts'
import { orderByClause } from './calls.ts'
import type { Cursor } from './cursor.ts'
import { duration } from './intervals.ts'
import { lineOf, optionList, target } from './options.ts'
import { isWindowClause, windowClause } from './windows.ts'

/** What follows the body of a query, in any order, each clause at most once. */
export interface Tail {
  orderBy: readonly OrderItem[]
  limit?: Expr | undefined
  offset?: Expr | undefined
  readonly trailing: Trailing
}

type Key = keyof Trailing['spans']
type Clause = Key | 'order by' | 'limit' | 'offset'

/** Words that may start a clause behind a query, for expected-token lists and misspelt keywords. */
export const clauseWords: readonly string[] = [
  'FROM',
  'WHERE',
  'GROUP',
  'HAVING',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'INTO',
  'WITH',
  'EMIT',
  'WINDOW',
  'UNION',
  'QUALIFY',
  'JOIN',
]

const titles: Readonly<Record<Clause, string>> = {
  into: 'INTO',
  with: 'WITH',
  emit: 'EMIT',
  window: 'WINDOW',
  lateness: 'ALLOW LATENESS',
  late: 'LATE DATA TO',
  'order by': 'ORDER BY',
  limit: 'LIMIT',
  offset: 'OFFSET',
}

/** Collects trailing clauses; `window` may have been read behind a FROM item or WHERE. */
export class TailReader {
  readonly #cursor: Cursor
  readonly #spans = new Map<Clause, Span>()
  #orderBy: readonly OrderItem[] = []
  #limit: Expr | undefined
  #offset: Expr | undefined
  #into: readonly Target[] = []
  #options: readonly OptionNode[] = []
  #emit: EmitNode | undefined
  #window: WindowNode | undefined
  #lateness: Trailing['lateness']
  #late: Target | undefined

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  /** WINDOW TUMBLING(…), if it follows. */
  acceptWindow(): void {
    if (!isWindowClause(this.#cursor)) return
    const start = this.#cursor.start
    const window = windowClause(this.#cursor)
    this.#once('window', start)
    this.#window = window
  }

  /** Takes over a window clause that the SELECT block of the query read. */
  adopt(window: WindowNode | undefined): void {
    if (window === undefined) return
    this.#window = window
    this.#spans.set('window', window.span)
  }

  /** Reads clauses as long as one follows. */
  readAll(): void {
    while (this.#one());
  }

  #one(): boolean {
    const cursor = this.#cursor
    const start = cursor.start
    if (cursor.isWord('ORDER', 'BY')) {
      const orderBy = orderByClause(cursor)
      this.#once('order by', start)
      this.#orderBy = orderBy
    } else if (cursor.acceptWord('LIMIT')) {
      const limit = cursor.acceptWord('ALL') ? undefined : cursor.expression()
      this.#once('limit', start)
      this.#limit = limit
    } else if (cursor.acceptWord('OFFSET')) {
      const offset = cursor.expression()
      if (!cursor.acceptWord('ROWS')) cursor.acceptWord('ROW')
      this.#once('offset', start)
      this.#offset = offset
    } else if (cursor.acceptWord('FETCH')) this.#fetch(start)
    else return this.#trailing(start)
    return true
  }

  /** FETCH FIRST n ROWS ONLY. */
  #fetch(start: number): void {
    const cursor = this.#cursor
    if (!cursor.acceptWord('FIRST')) cursor.expectWord('NEXT')
    const limit = cursor.expression()
    if (!cursor.acceptWord('ROWS')) cursor.expectWord('ROW')
    cursor.expectWord('ONLY')
    this.#once('limit', start)
    this.#limit = limit
  }

  #trailing(start: number): boolean {
    const cursor = this.#cursor
    if (cursor.acceptWord('INTO')) {
      this.#into = cursor.list(() => target(cursor))
      this.#once('into', start)
    } else if (cursor.isWord('WITH') && cursor.isSymbol('(', 1)) {
      cursor.next()
      this.#options = optionList(cursor)
      this.#once('with', start)
    } else if (cursor.isWord('EMIT')) {
      const emit = emitClause(cursor)
      this.#once('emit', start)
      this.#emit = emit
    } else if (isWindowClause(cursor)) this.acceptWindow()
    else if (cursor.acceptWord('ALLOW')) {
      cursor.expectWord('LATENESS')
      this.#lateness = duration(cursor)
      this.#once('lateness', start)
    } else if (cursor.acceptWord('LATE')) {
      cursor.expectWord('DATA', 'TO')
      this.#late = target(cursor)
      this.#once('late', start)
    } else return false
    return true
  }

  #once(clause: Clause, start: number): void {
    const span = this.#cursor.spanFrom(start)
    const before = this.#spans.get(clause)
    if (before !== undefined) {
      const line = lineOf(this.#cursor.text, before.start)
      this.#cursor.raise('sql_duplicate_clause', `${titles[clause]} is given twice`, span, {
        hint: `the first one is on line ${line}; keep one of the two`,
      })
    }
    this.#spans.set(clause, span)
  }

  get result(): Tail {
    const spans: Partial<Record<Key, Span>> = {}
    for (const key of ['into', 'with', 'emit', 'window', 'lateness', 'late'] as const) {
      const span = this.#spans.get(key)
      if (span !== undefined) spans[key] = span
    }
    return {
      orderBy: this.#orderBy,
      ...(this.#limit === undefined ? {} : { limit: this.#limit }),
      ...(this.#offset === undefined ? {} : { offset: this.#offset }),
      trailing: {
        into: this.#into,
        options: this.#options,
        ...(this.#emit === undefined ? {} : { emit: this.#emit }),
        ...(this.#window === undefined ? {} : { window: this.#window }),
        ...(this.#lateness === undefined ? {} : { lateness: this.#lateness }),
        ...(this.#late === undefined ? {} : { late: this.#late }),
        spans,
      },
    }
  }
}

function emitClause(cursor: Cursor): EmitNode {
  const start = cursor.start
  cursor.expectWord('EMIT')
  const node = (mode: EmitNode['mode'], every?: EmitNode['every']): EmitNode => ({
    kind: 'emit',
    mode,
    ...(every === undefined ? {} : { every }),
    span: cursor.spanFrom(start),
  })
  if (cursor.acceptWord('CHANGES')) return node('changes')
  if (cursor.acceptWord('FINAL')) return node('final')
  if (cursor.acceptWord('ON', 'WINDOW', 'CLOSE')) return node('on-window-close')
  if (cursor.acceptWord('ON', 'UPDATE')) return node('on-update')
  if (cursor.acceptWord('AFTER', 'WATERMARK') || cursor.acceptWord('ON', 'WATERMARK')) return node('after-watermark')
  if (cursor.acceptWord('EVERY') || cursor.acceptWord('PERIODICALLY')) return node('every', duration(cursor))
  return cursor.fail(['CHANGES', 'FINAL', 'ON WINDOW CLOSE', 'ON UPDATE'])
}
