import { types } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import type { Expr, ExprItem, Name, SelectItem, StarItem } from '../ast.ts'
import type { Binder } from './context.ts'
import { fault, silent } from './failure.ts'
import { outputName } from './grouping.ts'
import { columnExpr, fieldNotFound, findInput, matching, type Scope, type ScopeInput } from './scope.ts'

/** One output column of a SELECT block, over the input of its grouping. */
export interface Item {
  readonly name: string
  /** Undefined: it failed, which has been reported. */
  readonly expr: BoundExpr | undefined
  readonly span: Span
  readonly primaryKey: boolean
  /** An alias that was written, for GROUP BY, HAVING and ORDER BY. */
  readonly alias: Name | undefined
  /** `expr AS _EVENT_TIME`. */
  readonly eventTime: boolean
}

/** Binds the SELECT list; a fault of one item leaves the others. */
export function bindItems(written: readonly SelectItem[], binderFor: (items: readonly Item[]) => Binder): Item[] {
  const items: Item[] = []
  for (const item of written) {
    const binder = binderFor(items)
    if (item.kind === 'star') items.push(...(binder.environment.reporter.attempt(() => expandStar(item, binder)) ?? []))
    else items.push(bindItem(item, binder, items.length))
  }
  return items
}

function bindItem(item: ExprItem, binder: Binder, at: number): Item {
  const expr = binder.environment.reporter.attempt(() => typed(binder.bind(item.expr)))
  const name =
    item.alias?.text ?? (expr === undefined ? undefined : outputName(expr)) ?? nameOf(item.expr) ?? `column${at + 1}`
  const eventTime = item.alias !== undefined && name.toUpperCase() === '_EVENT_TIME'
  return { name, expr, span: item.span, primaryKey: item.primaryKey, alias: item.alias, eventTime }
}

/** A bare NULL is a STRING where it becomes a column. */
export const typed = (expr: BoundExpr): BoundExpr =>
  expr.type.kind === 'null' && expr.kind === 'literal' ? { ...expr, type: types.string } : expr

const nameOf = (expr: Expr): string | undefined => (expr.kind === 'column' ? expr.parts.at(-1)!.text : undefined)

/** `*`, `t.*`, `struct.*` with EXCEPT and REPLACE. */
function expandStar(item: StarItem, binder: Binder): Item[] {
  const columns = item.of === undefined ? allColumns(binder.scope, item) : starOf(item, binder)
  const left = without(columns, item)
  return replaced(left, item, binder).map((column) => ({
    ...column,
    span: item.span,
    primaryKey: false,
    alias: undefined,
    eventTime: false,
  }))
}

interface StarColumn {
  readonly name: string
  readonly expr: BoundExpr | undefined
}

function allColumns(scope: Scope, item: StarItem): StarColumn[] {
  if (scope.inputs.length > 0) return scope.inputs.flatMap((input) => inputColumns(input, item.span))
  return fault('sql_column_not_found', '"*" needs a FROM clause', item.span, { hint: "add FROM s, or FROM 'uri'" })
}

const inputColumns = (input: ScopeInput, span: Span): StarColumn[] =>
  input.columns
    .map((column, i) => ({ column, index: input.offset + i }))
    .filter(({ column }) => !column.hidden)
    .map((found) => ({ name: found.column.name, expr: columnExpr(found, span) }))

/** `x.*`: x is an input alias first, else a STRUCT column. */
function starOf(item: StarItem, binder: Binder): StarColumn[] {
  const of = item.of!
  const input = of.parts.length === 1 ? findInput(binder.scope, of.parts[0]!) : undefined
  if (input !== undefined) return inputColumns(input, item.span)
  const operand = binder.bind(of)
  const type = operand.type
  if (type.kind !== 'struct') {
    return fault('sql_type_mismatch', `"${binder.textOf(of.span)}" is no input and no STRUCT`, of.span, {
      hint: `write the column itself: ${binder.textOf(of.span)}`,
    })
  }
  return type.fields.map((field, index) => ({
    name: field.name,
    expr: {
      kind: 'field',
      arg: operand,
      index,
      type: field.type,
      nullable: operand.nullable || field.nullable,
      span: item.span,
    },
  }))
}

function without(columns: readonly StarColumn[], item: StarItem): readonly StarColumn[] {
  const dropped = new Set<StarColumn>()
  for (const name of item.except) {
    const found = matching(name, columns, (column) => column.name)
    if (found.length === 0) notThere(name, columns)
    for (const column of found) dropped.add(column)
  }
  return columns.filter((column) => !dropped.has(column))
}

function notThere(name: Name, columns: readonly StarColumn[]): never {
  const fields = columns.map((column) => ({ name: column.name, type: types.string, nullable: true }))
  return fieldNotFound(name, '*', fields)
}

function replaced(columns: readonly StarColumn[], item: StarItem, binder: Binder): readonly StarColumn[] {
  let result = [...columns]
  for (const { expr, name } of item.replace) {
    const [found] = matching(name, result, (column) => column.name)
    if (found === undefined) return notThere(name, columns)
    const bound = binder.environment.reporter.attempt(() => typed(binder.bind(expr)))
    result = result.map((column) => (column === found ? { name: column.name, expr: bound } : column))
  }
  return result
}

/** The output column of that alias among the items so far; the last one of equal names. */
export function aliasIn(items: readonly Item[], name: Name): BoundExpr | undefined {
  const found = matching(
    name,
    items.filter((item) => item.alias !== undefined),
    (item) => item.name,
  ).at(-1)
  if (found === undefined) return undefined
  return found.expr ?? silent()
}

/** `GROUP BY 2`, `ORDER BY 2`: the item at a 1-based place; undefined when the expression is no ordinal. */
export function ordinalItem(expr: Expr, items: readonly Item[], clause: string): Item | undefined {
  if (expr.kind !== 'literal' || expr.type.kind !== 'bigint') return undefined
  const item = items[Number(expr.value) - 1]
  if (item !== undefined) return item
  return fault(
    'sql_column_not_found',
    `${clause} ${expr.value}: the SELECT list has ${items.length} column${items.length === 1 ? '' : 's'}`,
    expr.span,
    {
      hint: `write a number from 1 to ${items.length}, or the name of a column`,
    },
  )
}
