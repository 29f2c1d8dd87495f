import { didYouMean, nearestNames } from '../../core/suggest.ts'
import type { Target } from '../ast.ts'
import type { OptionEntry } from '../catalogue.ts'
import { fault, silent } from './failure.ts'
import { placed } from './outside.ts'
import type { Sink } from './relation.ts'
import { findObject, type QueryContext } from './script-scope.ts'
import { expandVariables } from './variables.ts'

/** A target of INTO, INSERT or LATE DATA TO; `isColumn` names what `${…}` may stand for in a sink path. */
export async function openSink(
  target: Target,
  options: readonly OptionEntry[],
  context: QueryContext,
  isColumn: (name: string) => boolean,
): Promise<Sink> {
  const { environment, objects } = context
  if (target.kind === 'uri') {
    const keep = (name: string) => isColumn(name) || timeParts.has(name)
    const uri = expandVariables(target.uri, target.span, environment, keep)
    const info = await placed(target.span, options, environment, () => environment.catalogue.sink({ uri, options }))
    return { name: info.uri, info, span: target.span }
  }
  const found = findObject(target, objects)
  if (found?.kind === 'sink') return found.sink ?? silent()
  if (found !== undefined && found.relation === undefined) silent()
  if (found !== undefined) {
    return fault('sql_wrong_object_kind', `"${found.name}" is a ${found.kind} and takes no rows`, target.span, {
      hint: "write to a sink: CREATE SINK k INTO 'uri', or INSERT INTO 'uri'",
    })
  }
  const sinks = [...objects.values()].filter((object) => object.kind === 'sink').map((object) => object.name)
  const scheme = environment.catalogue.schemes.includes(target.text.toLowerCase())
    ? `write it as a URI: '${target.text.toLowerCase()}:'`
    : undefined
  return fault('sql_source_not_found', `sink "${target.text}" does not exist`, target.span, {
    hint:
      didYouMean(target.text, sinks) ?? scheme ?? `make it: CREATE SINK ${target.text} INTO 'uri', or write INTO 'uri'`,
    suggestions: nearestNames(target.text, sinks).map((near) => ({ replace: target.text, with: near })),
  })
}

/** Parts of the event time that a sink path may name. */
const timeParts: ReadonlySet<string> = new Set(['year', 'month', 'day', 'hour', 'minute', 'date'])
