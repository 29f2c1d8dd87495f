import type { BoundOutput } from '../binder/bind-script.ts'
import type { Environment } from '../binder/context.ts'
import { inputsOfRelation, type Relation, type Sink } from '../binder/relation.ts'

/**
 * A script may not read a channel that it writes: the one step in which the pipeline writes would wait for room, and
 * the reader for the end of that step. Its rows have a name of their own instead, a derived stream (rulings 1).
 */
export function refuseLoops(outputs: readonly BoundOutput[], { reporter }: Environment): void {
  const read = new Set<string>()
  const written: Sink[] = []
  const visit = (relation: Relation): void => {
    if (relation.kind === 'source' && relation.info.channel !== undefined) read.add(relation.info.channel)
    const late = relation.kind === 'aggregate' ? relation.emission.late : undefined
    if (late !== undefined && late !== 'dlq') written.push(late)
    inputsOfRelation(relation).forEach(visit)
  }
  for (const { relation, targets } of outputs) {
    visit(relation)
    written.push(...targets.filter((target) => target !== 'client'))
  }
  for (const { info, span } of written) {
    if (info.channel === undefined || !read.has(info.channel)) continue
    reporter.report({
      code: 'sql_feature_unsupported',
      message: `reading "${info.uri}" in the script that writes it is not supported by this version`,
      span,
      hint: `name the rows instead: CREATE STREAM ${info.channel} AS SELECT …, then read FROM ${info.channel}`,
    })
  }
}
