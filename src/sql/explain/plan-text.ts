import type { BoundExpr } from '../../expr/bound.ts'
import { aggregateText, exprText, microsText, sortText, valueText } from '../expr-text.ts'
import type { PlanNode, PlanOf, SourceColumn, TumbleWindow } from '../plan.ts'

const printers: { readonly [K in PlanNode['kind']]: (node: PlanOf<K>) => string } = {
  source: (node) => `${node.info.uri} columns=[${[...node.columns.map(columnText), ...node.systemColumns].join(', ')}]`,
  values: (node) =>
    `rows=${node.rows.length} ${node.rows
      .slice(0, 3)
      .map((row) => `(${row.map((value, i) => valueText(value, node.schema.fields[i]!.type)).join(', ')})`)
      .join(' ')}`.trimEnd(),
  watermark: (node) => {
    const column = node.schema.fields[node.column]!.name
    const future = node.futureMicros === undefined ? '' : ` future=${microsText(node.futureMicros)}`
    if (node.expr !== undefined) return `${column} AS ${exprText(node.expr)}${future}`
    return `${column} delay=${microsText(node.delayMicros)}${future}`
  },
  filter: (node) => exprText(node.predicate),
  project: (node) =>
    outputsText(
      node.outputs,
      node.schema.fields.map((field) => field.name),
    ),
  check: (node) => node.checks.map((check) => check.text).join(', '),
  aggregate: (node) =>
    [
      `keys=[${node.keys.map((key) => exprText(key)).join(', ')}]`,
      ...(node.window === undefined ? [] : [windowText(node.window)]),
      `aggregates=[${node.aggregates.map((aggregate) => aggregateText(aggregate)).join(', ')}]`,
      `emit=${node.emission}`,
      ...(node.latenessMicros === 0 ? [] : [`lateness=${microsText(node.latenessMicros)}`]),
      ...(node.late === undefined ? [] : [`late=${node.late === 'dlq' ? 'dlq' : node.late.name}`]),
    ].join(' '),
  distinct: () => '',
  union: () => '',
  unnest: (node) =>
    [exprText(node.list), node.spread ? 'spread' : '', node.ordinality ? 'ordinality' : '', node.outer ? 'outer' : '']
      .filter((part) => part !== '')
      .join(' '),
  sort: (node) => `by ${sortText(node.keys)} mode=${node.mode}${limitText(node)}`,
  limit: (node) => limitText(node).trimStart(),
}

const limitText = (node: { readonly limit: number | undefined; readonly offset: number }): string =>
  `${node.limit === undefined ? '' : ` limit=${node.limit}`}${node.offset === 0 ? '' : ` offset=${node.offset}`}`

const columnText = (column: SourceColumn): string => `${column.path.join('.')}${column.required ? ' NOT NULL' : ''}`

const windowText = (window: TumbleWindow): string =>
  `window=tumble(${window.clock === 'processing' ? 'PROCTIME()' : exprText(window.time)}, ${microsText(window.sizeMicros)}${
    window.offsetMicros === 0 ? '' : `, ${microsText(window.offsetMicros)}`
  })`

/** `a, b AS c`: an output that keeps its name stands alone. */
export const outputsText = (outputs: readonly BoundExpr[], names: readonly string[]): string =>
  outputs
    .map((output, i) => {
      const text = exprText(output)
      return text === names[i] ? text : `${text} AS ${names[i]}`
    })
    .join(', ')

/** One line for one node, without its id and inputs. */
export const nodeText = (node: PlanNode): string =>
  `${node.kind} ${(printers[node.kind] as (node: PlanNode) => string)(node)}`.trimEnd()
