import { typeName } from '../../core/types.ts'
import { inputsOfRelation, type Relation } from '../binder/relation.ts'
import { aggregateText, exprText, microsText, sortText } from '../expr-text.ts'
import { outputsText } from './plan-text.ts'

type RelationOf<K extends Relation['kind']> = Extract<Relation, { kind: K }>

const printers: { readonly [K in Relation['kind']]: (relation: RelationOf<K>) => string } = {
  source: (relation) => relation.info.uri,
  values: (relation) => `rows=${relation.rows.length}`,
  watermark: (relation) => {
    const { time } = relation
    if (time === undefined) return 'none'
    const name = relation.columns[time.column]!.name
    return time.expr === undefined
      ? `${name} delay=${microsText(time.delayMicros)}`
      : `${name} AS ${exprText(time.expr)}`
  },
  filter: (relation) => exprText(relation.predicate),
  project: (relation) =>
    outputsText(
      relation.outputs,
      relation.columns.map((column) => column.name),
    ),
  check: (relation) => relation.checks.map((check) => check.text).join(', '),
  aggregate: (relation) =>
    [
      `keys=[${relation.keys.map((key) => exprText(key)).join(', ')}]`,
      ...(relation.window === undefined
        ? []
        : [`window=tumble(${exprText(relation.window.time)}, ${microsText(relation.window.sizeMicros)})`]),
      `aggregates=[${relation.aggregates.map((aggregate) => aggregateText(aggregate)).join(', ')}]`,
    ].join(' '),
  distinct: () => '',
  union: () => '',
  unnest: (relation) => exprText(relation.list),
  order: (relation) =>
    [
      relation.keys.length === 0 ? '' : `by ${sortText(relation.keys)}`,
      relation.limit === undefined ? '' : `limit=${relation.limit}`,
      relation.offset === 0 ? '' : `offset=${relation.offset}`,
    ]
      .filter((part) => part !== '')
      .join(' '),
}

const own = (relation: Relation): string => (printers[relation.kind] as (relation: Relation) => string)(relation)

/** EXPLAIN bound: names and types of every relation, inputs below. */
export function relationText(relation: Relation, depth = 0): string {
  const pad = '  '.repeat(depth)
  const columns = relation.columns
    .filter((column) => !column.hidden)
    .map((column) => `${column.name} ${typeName(column.type)}${column.nullable ? '' : ' NOT NULL'}`)
  const lines = [`${pad}${relation.kind} ${own(relation)}`.trimEnd(), `${pad}  : ${columns.join(', ')}`]
  return [...lines, ...inputsOfRelation(relation).map((input) => relationText(input, depth + 1))].join('\n')
}

export function relationJson(relation: Relation): Readonly<Record<string, unknown>> {
  return {
    kind: relation.kind,
    text: own(relation),
    columns: relation.columns.map(({ name, type, nullable, hidden }) => ({
      name,
      type: typeName(type),
      nullable,
      hidden,
    })),
    inputs: inputsOfRelation(relation).map(relationJson),
  }
}
