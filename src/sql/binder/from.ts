import { didYouMean, nearestNames } from '../../core/suggest.ts'
import { type DataType, type Field, typeName, types } from '../../core/types.ts'
import type { BoundExpr } from '../../expr/bound.ts'
import type { FromItem, FunctionFrom, JoinFrom, Name, Select, UnnestFrom, WindowTableFrom } from '../ast.ts'
import type { OptionEntry } from '../catalogue.ts'
import { callOf } from './call-function.ts'
import { castTo } from './casts.ts'
import { foldConstant } from './constants.ts'
import type { Binder } from './context.ts'
import { clauseBinder } from './expressions.ts'
import { fault, silent, unsupported } from './failure.ts'
import type { ProjectRelation, Relation, RelationColumn, UnnestRelation, WindowMark } from './relation.ts'
import type { Scope, ScopeInput } from './scope.ts'
import { findRelation, type QueryContext } from './script-scope.ts'
import { windowEdge, windowSpec } from './windows.ts'

export interface BoundFrom {
  readonly relation: Relation
  readonly inputs: readonly ScopeInput[]
}

/** One row without columns: a SELECT without FROM. */
export const oneRow = (): Relation => ({ kind: 'values', rows: [[]], columns: [], label: 'VALUES' })

/** Options of a query's WITH that address its sources: `source.k` and `alias.k`. */
export type SourceOptions = (alias: string | undefined) => readonly OptionEntry[]

export async function bindFrom(select: Select, options: SourceOptions, context: QueryContext): Promise<BoundFrom> {
  const [first, ...rest] = select.from
  if (first === undefined) return { relation: oneRow(), inputs: [] }
  let bound = await bindItem(first, options, context)
  for (const item of rest) bound = joinWith(bound, item, false, context)
  return bound
}

async function bindItem(item: FromItem, options: SourceOptions, context: QueryContext): Promise<BoundFrom> {
  if (item.kind === 'join') return bindJoin(item, options, context)
  if (item.asOf !== undefined) return unsupported('FOR SYSTEM_TIME AS OF', item.span)
  switch (item.kind) {
    case 'from-name': {
      const { relation, label } = await findRelation(item.name, context)
      return input(relation, item, item.name.text, label)
    }
    case 'from-uri': {
      const relation = await context.sources.open(item.uri, options(item.alias?.text))
      return input(relation, item, undefined, `'${item.uri.uri}'`)
    }
    case 'from-query': {
      if (item.lateral) return unsupported('LATERAL', item.span)
      const { relation } = await context.query(item.query, context)
      return input(relation, item, undefined, item.alias === undefined ? 'the subquery' : `"${item.alias.text}"`)
    }
    case 'from-window':
      return bindWindowTable(item, options, context)
    case 'from-unnest':
    case 'from-function':
      return joinWith({ relation: oneRow(), inputs: [] }, item, false, context)
  }
}

/** The input under its alias, columns renamed by a column list. */
function input(
  relation: Relation,
  item: { readonly alias?: Name | undefined; readonly columns: readonly Name[] },
  name: string | undefined,
  label: string,
): BoundFrom {
  const columns = renamed(relation.columns, item.columns)
  const alias = item.alias?.text ?? name
  const shown = item.alias === undefined || name !== undefined ? label : `"${item.alias.text}"`
  return { relation, inputs: [{ alias, label: shown, columns, offset: 0 }] }
}

/** `t(a, b)`: the visible columns take the names in order. */
export function renamed(columns: readonly RelationColumn[], names: readonly Name[]): readonly RelationColumn[] {
  if (names.length === 0) return columns
  const shown = columns.filter((column) => !column.hidden).length
  const extra = names[shown]
  if (extra !== undefined) {
    fault('sql_column_not_found', `there are ${shown} columns, but ${names.length} names`, extra.span, {
      hint: `write at most ${shown} names`,
    })
  }
  let at = 0
  return columns.map((column) => {
    const name = column.hidden ? undefined : names[at++]
    return name === undefined ? column : { ...column, name: name.text }
  })
}

async function bindJoin(join: JoinFrom, options: SourceOptions, context: QueryContext): Promise<BoundFrom> {
  const isUnnest = join.right.kind === 'from-unnest' || join.right.kind === 'from-function'
  const always = join.on === undefined || (join.on.kind === 'literal' && join.on.value === true)
  const runs = join.type === 'cross' || (always && (join.type === 'inner' || join.type === 'left'))
  if (!isUnnest || !runs || join.natural || join.within !== undefined) {
    return unsupported(joinName(join), join.right.span, 'only CROSS JOIN UNNEST(…) and LEFT JOIN UNNEST(…) ON TRUE run')
  }
  return joinWith(await bindItem(join.left, options, context), join.right, join.type === 'left', context)
}

const joinName = (join: JoinFrom): string =>
  join.type === 'comma' || join.type === 'inner' ? 'JOIN' : `${join.type.toUpperCase().replace('-', ' ')} JOIN`

/** UNNEST or a table function behind other inputs. */
function joinWith(left: BoundFrom, item: FromItem, outer: boolean, context: QueryContext): BoundFrom {
  if (item.kind !== 'from-unnest' && item.kind !== 'from-function')
    return unsupported('JOIN', item.span, 'only UNNEST may follow another input')
  const scope: Scope = { inputs: left.inputs }
  const name = item.kind === 'from-unnest' ? 'UNNEST' : item.name.text.toUpperCase()
  const binder = clauseBinder({ environment: context.environment, scope, place: name })
  const list = item.kind === 'from-unnest' ? foldConstant(binder.bind(item.list)) : tableCall(item, binder)
  const spread = list.type.kind === 'array' && list.type.element.kind === 'struct' && item.columns.length === 0
  const fields = elementFields(list, spread, item, name)
  const own: RelationColumn[] = fields.map((field) => ({
    name: field.name,
    type: field.type,
    nullable: field.nullable || outer,
    hidden: false,
  }))
  if (item.ordinality) own.push({ name: 'ordinality', type: types.bigint, nullable: outer, hidden: false })
  const named = renamed(own, item.columns)
  const alias = item.alias?.text
  const label = alias === undefined ? name : `"${alias}"`
  const relation: UnnestRelation = {
    kind: 'unnest',
    input: left.relation,
    list,
    spread,
    ordinality: item.ordinality,
    outer,
    columns: [...left.relation.columns, ...named],
    label,
  }
  return { relation, inputs: [...left.inputs, { alias, label, columns: named, offset: left.relation.columns.length }] }
}

/** The rows of a table function, as an array. */
function tableCall(item: FunctionFrom, binder: Binder): BoundExpr {
  const { functions, brokenFunctions } = binder.environment
  const upper = item.name.text.toUpperCase()
  const found = functions.table.get(upper)
  if (found !== undefined)
    return callOf(
      found,
      item.args.map((arg) => binder.bind(arg)),
      item.span,
      binder,
    )
  if (brokenFunctions.has(upper)) return silent()
  const known = [...functions.table.keys()]
  if (nearestNames(upper, known).length === 0) return unsupported(`the table function ${upper}`, item.span)
  return fault('sql_function_not_found', `function "${item.name.text}" does not exist`, item.name.span, {
    hint: didYouMean(upper, known),
    suggestions: nearestNames(upper, known).map((near) => ({ replace: item.name.text, with: near })),
  })
}

function elementFields(
  list: BoundExpr,
  spread: boolean,
  item: UnnestFrom | FunctionFrom,
  name: string,
): readonly Field[] {
  const own = item.alias?.text ?? name.toLowerCase()
  const type: DataType = list.type
  switch (type.kind) {
    case 'array':
      if (spread && type.element.kind === 'struct')
        return type.element.fields.map((field) => ({ ...field, nullable: true }))
      return [{ name: own, type: type.element, nullable: true }]
    case 'map':
      return [
        { name: 'key', type: type.key, nullable: false },
        { name: 'value', type: type.value, nullable: true },
      ]
    case 'json':
      return [{ name: own, type: types.json, nullable: true }]
    default:
      return fault(
        'sql_type_mismatch',
        `UNNEST takes an ARRAY, a MAP or JSON, not ${typeName(type)}`,
        list.span ?? item.span,
        {
          hint: 'name a column that holds a list',
        },
      )
  }
}

/** TUMBLE(s, ts, size): every row gets window_start, window_end and window_time. */
async function bindWindowTable(
  item: WindowTableFrom,
  options: SourceOptions,
  context: QueryContext,
): Promise<BoundFrom> {
  const inner = await bindItem(item.input, options, context)
  const binder = clauseBinder({ environment: context.environment, scope: { inputs: inner.inputs }, place: 'FROM' })
  const time = item.window.time === undefined ? undefined : binder.bind(item.window.time)
  const sizes = item.window.sizes.map((size) => binder.bind(size))
  const written = { kind: item.window.window, time, sizes, span: item.window.span }
  const spec = windowSpec(written, inner.relation, binder)
  if (spec.clock === 'processing') {
    return unsupported(
      'PROCTIME() in the table form of a window',
      item.window.span,
      'write GROUP BY TUMBLE(PROCTIME(), size)',
    )
  }
  const { sizeMicros, offsetMicros, clock } = spec
  const roles = ['start', 'end', 'time'] as const
  const own = roles.map((role): RelationColumn => {
    const window: WindowMark = { role, clock, sizeMicros, offsetMicros }
    return { name: `window_${role}`, type: types.timestamp, nullable: spec.time.nullable, hidden: false, window }
  })
  // Windows that the input has already are those of an earlier grouping; a new name hides them.
  const before = inner.relation.columns.map((column) =>
    column.window === undefined ? column : { ...column, hidden: true },
  )
  const outputs: BoundExpr[] = [
    ...before.map(({ name, type, nullable }, index): BoundExpr => ({ kind: 'column', index, name, type, nullable })),
    ...roles.map((role) => windowEdge(castTo(spec.time, types.timestamp), spec, role)),
  ]
  const project: ProjectRelation = {
    kind: 'project',
    input: inner.relation,
    outputs,
    columns: [...before, ...own],
    label: inner.relation.label,
  }
  const alias = item.alias?.text ?? inner.inputs[0]?.alias
  const columns = renamed(project.columns, item.columns)
  return { relation: project, inputs: [{ alias, label: inner.inputs[0]?.label ?? 'the window', columns, offset: 0 }] }
}
