import { types } from '../../core/types.ts'
import type { BoundExpr, SortKey } from '../../expr/bound.ts'
import type { Expr, Query, QueryBody, SetOperation, Trailing, ValuesBody } from '../ast.ts'
import { commonTypeFor } from './branches.ts'
import { castArgument } from './call-function.ts'
import { castTo } from './casts.ts'
import { constantInteger, foldConstant } from './constants.ts'
import type { Binder, Environment } from './context.ts'
import { clauseBinder } from './expressions.ts'
import { fault, silent, unsupported } from './failure.ts'
import { renamed, type SourceOptions } from './from.ts'
import type { EmissionClauses, OrderRelation, ProjectRelation, Relation, RelationColumn } from './relation.ts'
import { timeColumn, visible } from './relation.ts'
import { type BoundQuery, findRelation, type QueryContext } from './script-scope.ts'
import { type BoundSelect, bindSelect } from './select.ts'
import { ordinalItem } from './select-items.ts'
import { castInZone } from './session-zone.ts'

/** What the statement around a query adds: resolved clauses that need the outside world. */
export interface QueryClauses {
  readonly emission: EmissionClauses
  readonly sourceOptions: SourceOptions
}

const noOptions: SourceOptions = () => []

/** A query inside another one: it may not name targets or options. */
export async function bindNestedQuery(query: Query, context: QueryContext): Promise<BoundQuery> {
  const { spans, emit, lateness, late } = query.trailing
  const misplaced = spans.into ?? spans.with
  if (misplaced !== undefined) {
    fault('sql_unexpected_token', 'INTO and WITH belong to the outermost query', misplaced, {
      hint: 'move the clause behind the whole query',
    })
  }
  if (late !== undefined)
    return unsupported('LATE DATA TO in a subquery', spans.late!, 'move it to the outermost query')
  const latenessMicros = lateness === undefined ? undefined : fixedLateness(query.trailing)
  return bindQuery(query, { emission: { emit, latenessMicros, late: undefined }, sourceOptions: noOptions }, context)
}

/** ALLOW LATENESS in microseconds. */
export function fixedLateness(trailing: Trailing): number | undefined {
  const node = trailing.lateness
  if (node === undefined) return undefined
  const { months, days, micros } = node.interval
  const total = days * 86_400_000_000 + micros
  if (months === 0 && total >= 0) return total
  return fault('sql_invalid_literal', 'the lateness must be a length of time without months', node.span, {
    hint: 'write ALLOW LATENESS 5s',
  })
}

export async function bindQuery(query: Query, clauses: QueryClauses, outer: QueryContext): Promise<BoundQuery> {
  if (query.recursive) return unsupported('WITH RECURSIVE', query.span)
  const context = await withTables(query, outer)
  const body = await bindBody(query.body, query, clauses, context)
  const relation = orderAndLimit(query, body, clauses, context)
  return { relation, primaryKey: body.primaryKey }
}

/** The context with the tables of WITH; a broken one is known, so that its readers fail without a word. */
async function withTables(query: Query, outer: QueryContext): Promise<QueryContext> {
  if (query.ctes.length === 0) return outer
  const ctes = new Map(outer.ctes)
  const context: QueryContext = { ...outer, ctes }
  for (const cte of query.ctes) {
    const bound = await outer.environment.reporter.attemptAsync(async () => {
      const { relation } = await outer.query(cte.query, { ...context, ctes: new Map(ctes) })
      return withColumns(relation, renamed(relation.columns, cte.columns))
    })
    ctes.set(cte.name.text, bound)
  }
  return context
}

/** The relation under other column names. */
export function withColumns(relation: Relation, columns: readonly RelationColumn[]): Relation {
  if (columns === relation.columns) return relation
  const outputs = relation.columns.map(({ name, type, nullable }, index): BoundExpr => {
    return { kind: 'column', index, name, type, nullable }
  })
  return { kind: 'project', input: relation, outputs, columns, label: relation.label }
}

async function bindBody(
  body: QueryBody,
  query: Query,
  clauses: QueryClauses,
  context: QueryContext,
): Promise<BoundSelect> {
  switch (body.kind) {
    case 'select': {
      const { trailing, orderBy } = query
      const lateSpan = trailing.spans.lateness ?? trailing.spans.late
      const { emission, sourceOptions } = clauses
      return bindSelect(body, { window: trailing.window, emission, lateSpan, orderBy, sourceOptions }, context)
    }
    case 'values':
      return plain(bindValues(body, context))
    case 'table': {
      const { relation } = await findRelation(body.name, context)
      return plain(relation)
    }
    case 'query': {
      const { relation, primaryKey } = await context.query(body, context)
      return { relation, primaryKey, orderKeys: [] }
    }
    case 'set-operation':
      return plain(await bindSetOperation(body, query, clauses, context))
  }
}

const plain = (relation: Relation): BoundSelect => ({ relation, primaryKey: [], orderKeys: [] })

function bindValues(body: ValuesBody, context: QueryContext): Relation {
  const binder = clauseBinder({ environment: context.environment, scope: { inputs: [] }, place: 'VALUES' })
  const width = body.rows[0]!.items.length
  const rows = body.rows.map((row) => {
    if (row.items.length === width) return row.items.map((item) => foldConstant(binder.bind(item)))
    return fault(
      'sql_no_common_type',
      `this row has ${countOf(row.items.length, 'value')}, the first has ${width}`,
      row.span,
      {
        hint: 'give every row the same number of values',
      },
    )
  })
  const columns = Array.from({ length: width }, (_, i): RelationColumn => {
    const values = rows.map((row) => row[i]!)
    const common = commonTypeFor(
      values,
      body.rows.map((row) => row.items[i]!),
      binder,
    )
    const type = common.kind === 'null' ? types.string : common
    return { name: `column${i + 1}`, type, nullable: values.some((value) => value.nullable), hidden: false }
  })
  const values = rows.map((row, at) =>
    row.map((value, i) => constant(castArgument(value, columns[i]!.type, binder), body, at, i)),
  )
  return { kind: 'values', rows: values, columns, label: 'VALUES' }
}

function constant(expr: BoundExpr, body: ValuesBody, row: number, column: number) {
  const folded = foldConstant(expr)
  if (folded.kind === 'literal') return folded.value
  return unsupported('an expression that is not constant in VALUES', body.rows[row]!.items[column]!.span)
}

async function bindSetOperation(
  operation: SetOperation,
  query: Query,
  clauses: QueryClauses,
  context: QueryContext,
): Promise<Relation> {
  if (operation.op !== 'union') return unsupported(operation.op.toUpperCase(), operation.span)
  const { reporter } = context.environment
  const written = branchesOf(operation)
  const branches: (Relation | undefined)[] = []
  const inner: Query = { ...query, orderBy: [], trailing: { ...query.trailing, spans: {} } }
  for (const branch of written) {
    branches.push(await reporter.attemptAsync(async () => (await bindBody(branch, inner, clauses, context)).relation))
  }
  const found = branches.map((branch) => branch ?? silent())
  const withTime = operation.all && found.every((branch) => timeColumn(branch) !== undefined)
  const bound = found.map((branch) => (withTime ? shownWithTime(branch) : shownOnly(branch)))
  const binder = clauseBinder({ environment: context.environment, scope: { inputs: [] }, place: 'UNION' })
  const union = unionOf(bound, written, binder)
  return operation.all
    ? union
    : { kind: 'distinct', input: union, span: operation.span, columns: union.columns, label: 'UNION' }
}

/** The branches of a chain of UNION ALL (or of one UNION), left to right. */
function branchesOf(operation: SetOperation): QueryBody[] {
  const left = operation.left
  const flat = left.kind === 'set-operation' && left.op === 'union' && left.all === operation.all
  return [...(flat ? branchesOf(left) : [left]), operation.right]
}

/** Without hidden columns. */
export function shownOnly(relation: Relation): Relation {
  if (relation.columns.every((column) => !column.hidden)) return relation
  const outputs: BoundExpr[] = []
  for (const [index, { name, type, nullable, hidden }] of relation.columns.entries()) {
    if (!hidden) outputs.push({ kind: 'column', index, name, type, nullable })
  }
  return { kind: 'project', input: relation, outputs, columns: visible(relation.columns), label: relation.label }
}

/** `1 column`, `2 columns`. */
const countOf = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** The visible columns, then the event time, hidden. */
function shownWithTime(relation: Relation): Relation {
  const time = timeColumn(relation)!
  const shown = relation.columns.flatMap((column, i) => (column.hidden ? [] : [i]))
  const columns = shown.map((i) => relation.columns[i]!)
  const hidden: RelationColumn = { ...relation.columns[time]!, name: '_event_time', hidden: true }
  const outputs = [...shown, time].map((index) => columnAt(relation, index))
  return { kind: 'project', input: relation, outputs, columns: [...columns, hidden], label: relation.label }
}

function unionOf(branches: readonly Relation[], written: readonly QueryBody[], binder: Binder): Relation {
  const [first] = branches
  for (const [i, branch] of branches.entries()) {
    if (branch.columns.length === first!.columns.length) continue
    const width = visible(branch.columns).length
    fault(
      'sql_no_common_type',
      `this branch has ${countOf(width, 'column')}, the first has ${visible(first!.columns).length}`,
      written[i]!.span,
      {
        hint: 'select the same number of columns in every branch',
      },
    )
  }
  const columns = first!.columns.map((column, at): RelationColumn => {
    const args = branches.map((branch) => argumentAt(branch, at))
    const places = written.map(
      (body, i) => branchItem(body, at) ?? ({ kind: 'column', parts: [], span: written[i]!.span } as Expr),
    )
    const type = commonTypeFor(args, places, binder)
    const { name, hidden } = column
    const window = sameMark(branches.map((branch) => branch.columns[at]!.window))
    return { name, type, nullable: args.some((arg) => arg.nullable), hidden, window }
  })
  const inputs = branches.map((branch) => castColumns(branch, columns, binder.environment))
  return { kind: 'union', inputs, columns, label: 'UNION' }
}

/** The mark that all branches give a column. */
function sameMark(marks: readonly RelationColumn['window'][]): RelationColumn['window'] {
  const [first] = marks
  const same = marks.every(
    (mark) =>
      mark?.role === first?.role &&
      mark?.clock === first?.clock &&
      mark?.sizeMicros === first?.sizeMicros &&
      mark?.offsetMicros === first?.offsetMicros,
  )
  return same ? first : undefined
}

/** The written item behind a column of a branch, for the place of a fault. */
function branchItem(body: QueryBody, at: number): Expr | undefined {
  if (body.kind !== 'select' || body.items.some((item) => item.kind === 'star')) return undefined
  const item = body.items[at]
  return item?.kind === 'item' ? item.expr : undefined
}

function columnAt(relation: Relation, index: number): BoundExpr {
  const { name, type, nullable } = relation.columns[index]!
  return { kind: 'column', index, name, type, nullable }
}

/** A column for the choice of a common type: one that is NULL in every row takes the type of the others. */
function argumentAt(relation: Relation, index: number): BoundExpr {
  const column = columnAt(relation, index)
  const output = relation.kind === 'project' ? relation.outputs[index] : undefined
  return output?.kind === 'literal' && output.value === null ? { ...column, type: types.null } : column
}

/** The visible columns of a relation cast to those types, under those names. */
function castColumns(relation: Relation, columns: readonly RelationColumn[], environment: Environment): Relation {
  const outputs = columns.map((column, i) => castInZone(castTo(columnAt(relation, i), column.type), environment))
  if (outputs.every((output) => output.kind === 'column')) return relation
  const own = columns.map((column, i) => ({ ...column, nullable: outputs[i]!.nullable }))
  return { kind: 'project', input: relation, outputs, columns: own, label: relation.label } satisfies ProjectRelation
}

function orderAndLimit(query: Query, body: BoundSelect, clauses: QueryClauses, context: QueryContext): Relation {
  const { relation } = body
  const keys =
    query.body.kind === 'select' && !query.body.distinct ? body.orderKeys : outputKeys(query, relation, context)
  const limit = count(query.limit, 'LIMIT', context)
  const offset = count(query.offset, 'OFFSET', context) ?? 0
  if (keys.length === 0 && limit === undefined && offset === 0) return relation
  const span = query.orderBy[0] === undefined ? query.span : spanOf(query)
  const { emit } = clauses.emission
  const { columns, label } = relation
  return { kind: 'order', input: relation, keys, limit, offset, emit, span, columns, label } satisfies OrderRelation
}

const spanOf = (query: Query) => ({ start: query.orderBy[0]!.span.start, end: query.orderBy.at(-1)!.span.end })

/** ORDER BY over output columns only: set operations, VALUES, SELECT DISTINCT. */
function outputKeys(query: Query, relation: Relation, context: QueryContext): SortKey[] {
  const inputs = [{ alias: undefined, label: 'the query', columns: relation.columns, offset: 0 }]
  const binder = clauseBinder({ environment: context.environment, scope: { inputs }, place: 'ORDER BY' })
  const items = relation.columns.map((column, i) => ({
    name: column.name,
    expr: columnAt(relation, i),
    span: query.span,
    primaryKey: false,
    alias: undefined,
    eventTime: false,
  }))
  return query.orderBy.flatMap((item) => {
    const { reporter } = context.environment
    const expr = reporter.attempt(() => ordinalItem(item.expr, items, 'ORDER BY')?.expr ?? binder.bind(item.expr))
    const nullsFirst = item.nulls === undefined ? item.descending : item.nulls === 'first'
    return expr === undefined ? [] : [{ expr, descending: item.descending, nullsFirst }]
  })
}

function count(expr: Expr | undefined, clause: string, context: QueryContext): number | undefined {
  if (expr === undefined) return undefined
  const binder = clauseBinder({ environment: context.environment, scope: { inputs: [] }, place: clause })
  const value = constantInteger(binder.bind(expr))
  if (value !== undefined && value >= 0) return value
  return fault('sql_type_mismatch', `${clause} takes a whole number that is not negative`, expr.span, {
    hint: `write ${clause} 10`,
  })
}
