import { types } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import type { CallExpr, Expr, WindowKind, WindowNode } from '../ast.ts'
import { exprKey } from '../expr-text.ts'
import type { Binder, Environment } from './context.ts'
import { fault, silent } from './failure.ts'
import { GroupRewriter, isGroupColumn, outputName, windowColumnNames } from './grouping.ts'
import type { Relation, RelationColumn, WindowMark, WindowSpec } from './relation.ts'
import { type Item, ordinalItem } from './select-items.ts'
import { mayBeNull } from './settings.ts'
import { markedWindow, windowSpec } from './windows.ts'

/** GROUP BY of one block. */
export interface Groups {
  readonly keys: readonly BoundExpr[]
  readonly keyColumns: readonly RelationColumn[]
  readonly window: WindowSpec | undefined
  readonly windowColumns: readonly RelationColumn[]
  readonly rewriter: GroupRewriter
  /** `GROUP BY user`, for messages. */
  readonly text: string
  readonly span: Span | undefined
}

const roles: readonly WindowMark['role'][] = ['start', 'end', 'time']

const windowKinds: Readonly<Record<string, WindowKind>> = {
  TUMBLE: 'tumble',
  HOP: 'hop',
  SESSION: 'session',
  CUMULATE: 'cumulate',
}

export function bindGroups(
  written: readonly Expr[],
  clause: WindowNode | undefined,
  items: readonly Item[],
  relation: Relation,
  binder: Binder,
): Groups {
  const { reporter } = binder.environment
  const collected = new Collected(relation, binder)
  if (clause !== undefined) collected.setWindow(clauseWindow(clause, relation, binder))
  const added = written.map((expr) => reporter.attempt(() => collected.add(expr, items)))
  if (added.includes(undefined)) silent()
  const { keys, window } = collected
  const span = written.length === 0 ? clause?.span : { start: written[0]!.span.start, end: written.at(-1)!.span.end }
  const text =
    written.length === 0 ? 'an aggregate' : `GROUP BY ${written.map((expr) => binder.textOf(expr.span)).join(', ')}`
  return {
    keys,
    keyColumns: keys.map((key, i) => keyColumn(key, i, relation, binder.environment)),
    window,
    windowColumns: window === undefined ? [] : windowColumns(window),
    rewriter: new GroupRewriter(keys, window !== undefined, collected.windowKeys),
    text,
    span,
  }
}

class Collected {
  readonly keys: BoundExpr[] = []
  /** Input columns that are columns of the window, with their place among its three. */
  readonly windowKeys = new Map<number, number>()
  window: WindowSpec | undefined
  readonly #seen = new Set<string>()
  readonly #relation: Relation
  readonly #binder: Binder

  constructor(relation: Relation, binder: Binder) {
    this.#relation = relation
    this.#binder = binder
  }

  add(expr: Expr, items: readonly Item[]): true {
    this.#add(expr, items)
    return true
  }

  #add(expr: Expr, items: readonly Item[]): void {
    const call = expr.kind === 'call' ? windowKinds[expr.name.text.toUpperCase()] : undefined
    if (call !== undefined) {
      this.setWindow(callWindow(expr as CallExpr, call, this.#relation, this.#binder))
      return
    }
    const bound = ordinalItem(expr, items, 'GROUP BY')?.expr ?? this.#binder.bind(expr)
    const key = { ...bound, span: expr.span }
    if (holdsAggregate(key)) {
      fault('sql_aggregate_misplaced', 'an aggregate may not stand in GROUP BY', expr.span, {
        hint: 'group by a column, or aggregate in a subquery first',
      })
    }
    const mark = key.kind === 'column' ? this.#relation.columns[key.index]?.window : undefined
    if (mark !== undefined && key.kind === 'column') {
      this.#addMarked(key.index, mark, expr.span)
      return
    }
    const text = exprKey(key)
    if (this.#seen.has(text)) return
    this.#seen.add(text)
    this.keys.push(key)
  }

  /** GROUP BY window_start, window_end over rows that have these columns. */
  #addMarked(index: number, mark: WindowMark, span: Span): void {
    if (this.windowKeys.has(index)) return
    if (this.window !== undefined) mismatch(span)
    this.window = markedWindow(index, mark, this.#relation, span, this.#binder)
    for (const [i, column] of this.#relation.columns.entries()) {
      const other = column.window
      if (other === undefined || other.sizeMicros !== mark.sizeMicros || other.offsetMicros !== mark.offsetMicros)
        continue
      this.windowKeys.set(i, roles.indexOf(other.role))
    }
  }

  setWindow(window: WindowSpec): void {
    if (this.window !== undefined) mismatch(window.span)
    this.window = window
  }
}

const mismatch = (span: Span): never =>
  fault('sql_window_mismatch', 'one GROUP BY holds two windows', span, {
    hint: 'stack the windows: group the result of one query in another',
  })

function callWindow(call: CallExpr, kind: WindowKind, relation: Relation, binder: Binder): WindowSpec {
  const [time, ...sizes] = call.args.map((arg) => binder.bind(arg))
  if (time === undefined || sizes.length === 0) {
    return fault(
      'sql_window_size_invalid',
      `${call.name.text.toUpperCase()} takes a time column and a size`,
      call.span,
      {
        hint: 'write TUMBLE(ts, 5m)',
      },
    )
  }
  return windowSpec({ kind, time, sizes, span: call.span }, relation, binder)
}

function clauseWindow(clause: WindowNode, relation: Relation, binder: Binder): WindowSpec {
  const time = clause.time === undefined ? undefined : binder.bind(clause.time)
  const sizes = clause.sizes.map((size) => binder.bind(size))
  return windowSpec({ kind: clause.window, time, sizes, span: clause.span }, relation, binder)
}

function holdsAggregate(expr: BoundExpr): boolean {
  if (isGroupColumn(expr)) return true
  switch (expr.kind) {
    case 'call':
    case 'and':
    case 'or':
    case 'coalesce':
      return expr.args.some(holdsAggregate)
    case 'cast':
    case 'is-null':
    case 'field':
      return holdsAggregate(expr.arg)
    case 'case':
      return expr.branches.some(({ when, result }) => holdsAggregate(when) || holdsAggregate(result))
    default:
      return false
  }
}

function keyColumn(key: BoundExpr, at: number, relation: Relation, environment: Environment): RelationColumn {
  const source = key.kind === 'column' ? relation.columns[key.index] : undefined
  const name = source?.name ?? outputName(key) ?? `key${at + 1}`
  return { name, type: key.type, nullable: mayBeNull(key, environment), hidden: false }
}

function windowColumns(window: WindowSpec): RelationColumn[] {
  const { clock, sizeMicros, offsetMicros } = window
  return (['start', 'end', 'time'] as const).map((role, i) => ({
    name: windowColumnNames[i]!,
    type: types.timestamp,
    nullable: false,
    hidden: false,
    window: { role, clock, sizeMicros, offsetMicros },
  }))
}
