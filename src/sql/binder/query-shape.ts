import { typeName } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import { castable } from '../../expr/coerce.ts'
import type { Name, Query } from '../ast.ts'
import type { CreateSink, CreateStream, TableElements } from '../ast-statements.ts'
import { castTo } from './casts.ts'
import type { Environment } from './context.ts'
import { fault, unsupported } from './failure.ts'
import { renamed } from './from.ts'
import { withColumns } from './query.ts'
import { type Relation, type RelationColumn, visible } from './relation.ts'
import { castInZone } from './session-zone.ts'

/** INSERT INTO k (a, b): the visible columns under those names. */
export function underNames(relation: Relation, names: readonly Name[]): Relation {
  const shown = visible(relation.columns).length
  if (names.length < shown) {
    fault('sql_column_not_found', `the query gives ${shown} columns, but ${names.length} are named`, names[0]!.span, {
      hint: 'name every column, or leave out the list',
    })
  }
  return withColumns(relation, renamed(relation.columns, names))
}

/** SELECT * FROM s, for CREATE SINK k FROM s. */
export function selectAll(body: CreateSink): Query {
  const name = body.from!
  const span = name.span
  return {
    kind: 'query',
    recursive: false,
    ctes: [],
    body: {
      kind: 'select',
      distinct: false,
      distinctOn: [],
      items: [{ kind: 'star', except: [], replace: [], span }],
      from: [{ kind: 'from-name', name, columns: [], span }],
      groupBy: [],
      groupAll: false,
      namedWindows: [],
      span,
    },
    orderBy: [],
    trailing: { into: [], options: [], spans: {} },
    span,
  }
}

/** A column list before AS casts and renames the columns of the query; hidden ones go along. */
export function shapeAs(relation: Relation, body: CreateStream, environment: Environment): Relation {
  const elements = body.columns
  if (elements === undefined) return relation
  refuseExtras(elements)
  const shown = visible(relation.columns).length
  if (elements.columns.length !== shown) {
    fault(
      'sql_no_common_type',
      `the query gives ${shown} columns, but ${elements.columns.length} are declared`,
      elements.span,
      {
        hint: 'declare as many columns as the query gives',
      },
    )
  }
  let at = 0
  const outputs: BoundExpr[] = []
  const columns = relation.columns.map((from, index): RelationColumn => {
    const declared = from.hidden ? undefined : elements.columns[at++]
    const type = declared?.type?.type ?? from.type
    if (!castable(from.type, type)) {
      fault('sql_type_mismatch', `${typeName(from.type)} cannot be cast to ${typeName(type)}`, declared!.span, {
        hint: 'cast it in the query',
      })
    }
    const column = { kind: 'column', index, name: from.name, type: from.type, nullable: from.nullable } as const
    const output = castInZone(castTo(column, type), environment)
    outputs.push(output)
    return { ...from, name: declared?.name.text ?? from.name, type, nullable: output.nullable }
  })
  return { kind: 'project', input: relation, outputs, columns, label: relation.label }
}

/** The columns of a derived stream are names and types only. */
function refuseExtras(elements: TableElements): void {
  const extra = [elements.watermark, ...elements.checks, ...elements.primaryKey].find((node) => node !== undefined)
  if (extra !== undefined)
    unsupported('this clause in the columns of a derived stream', extra.span, 'write it in the query')
  for (const column of elements.columns) {
    const plain = column.computed === undefined && column.metadata === undefined && column.default === undefined
    if (plain && !column.notNull && !column.primaryKey && column.checks.length === 0) continue
    unsupported('a column with more than a name and a type in a derived stream', column.span, 'write it in the query')
  }
}

/** Where a schema is stored, names are unique. */
export function refuseDuplicates(columns: readonly RelationColumn[], span: Span): void {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(name)) {
      fault('sql_duplicate_column', `two output columns are named "${name}"`, span, {
        hint: `give one of them another name: ${name} AS ${name}_2`,
      })
    }
    seen.add(name)
  }
}

/** Lower-case aliases of the outermost FROM, which options may address. */
export function aliasesOf(query: Query): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (item: Extract<Query['body'], { kind: 'select' }>['from'][number]): void => {
    if (item.kind === 'join') {
      visit(item.left)
      visit(item.right)
    } else if (item.alias !== undefined) names.add(item.alias.text.toLowerCase())
  }
  if (query.body.kind === 'select') query.body.from.forEach(visit)
  return names
}
