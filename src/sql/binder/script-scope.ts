import { didYouMean, nearestNames } from '../../core/suggest.ts'
import type { Name, Query } from '../ast.ts'
import type { Environment } from './context.ts'
import { fault, silent } from './failure.ts'
import type { Relation, Sink } from './relation.ts'
import { matching } from './scope.ts'
import type { Sources } from './sources.ts'

/** What the statements of a script have made so far. */
export type ScriptObject =
  /** `relation` undefined: its definition is broken, which has been reported. */
  | {
      readonly kind: 'stream' | 'view'
      readonly name: string
      readonly relation: Relation | undefined
      readonly derived: boolean
    }
  | { readonly kind: 'sink'; readonly name: string; readonly sink: Sink | undefined }

export interface BoundQuery {
  readonly relation: Relation
  /** Positions of the columns marked PRIMARY KEY. */
  readonly primaryKey: readonly number[]
}

/** Binds the queries of one statement. */
export interface QueryContext {
  readonly environment: Environment
  readonly sources: Sources
  readonly objects: Map<string, ScriptObject>
  /** Names of WITH, innermost last; undefined: a broken one. */
  readonly ctes: ReadonlyMap<string, Relation | undefined>
  /** Names of the streams that a query has read. */
  readonly read: Set<string>
  query(query: Query, context: QueryContext): Promise<BoundQuery>
}

/** The rows that a bare name stands for. */
export async function findRelation(name: Name, context: QueryContext): Promise<{ relation: Relation; label: string }> {
  const cte = matching(name, [...context.ctes.keys()], (key) => key)[0]
  if (cte !== undefined) return { relation: context.ctes.get(cte) ?? silent(), label: `"${cte}"` }
  const found = findObject(name, context.objects)
  if (found?.kind === 'sink') {
    return fault('sql_wrong_object_kind', `"${found.name}" is a sink and cannot be read`, name.span, {
      hint: 'read the stream that feeds it',
    })
  }
  if (found !== undefined) {
    context.read.add(found.name)
    return { relation: found.relation ?? silent(), label: `${found.kind} "${found.name}"` }
  }
  const stream = await context.sources.named(name)
  if (stream !== undefined) return { relation: stream, label: `stream "${name.text}"` }
  return sourceNotFound(name, context)
}

export const findObject = (name: Name, objects: ReadonlyMap<string, ScriptObject>): ScriptObject | undefined =>
  matching(name, [...objects.values()], (object) => object.name)[0]

function sourceNotFound(name: Name, context: QueryContext): never {
  const names = [...context.ctes.keys(), ...context.objects.keys()]
  const near = didYouMean(name.text, names)
  const looksLikePath = /[./*]/.test(name.text)
  const isScheme = context.environment.catalogue.schemes.includes(name.text.toLowerCase())
  const rest = looksLikePath
    ? `quote a path: '${name.text}'`
    : `make it: CREATE STREAM ${name.text} FROM 'uri', or read a file: FROM '${name.text}.jsonl'`
  return fault('sql_source_not_found', `stream, table or view "${name.text}" does not exist`, name.span, {
    hint: near ?? (isScheme ? `write it as a URI: '${name.text.toLowerCase()}:…'` : rest),
    suggestions: nearestNames(name.text, names).map((with_) => ({ replace: name.text, with: with_ })),
  })
}
