import { type DataType, typeName } from '../../core/types.ts'
import type { Statement } from '../ast-statements.ts'
import { describeToken, type Token } from '../tokens.ts'
import { treeJson, treeText } from './print-tree.ts'

/** EXPLAIN tokens. */
export function tokensText(tokens: readonly Token[]): string {
  return tokens
    .filter((token) => token.kind !== 'end')
    .map((token) => `${String(token.span.start).padStart(4)}  ${token.kind.padEnd(9)}  ${describeToken(token)}`)
    .join('\n')
}

export function tokensJson(tokens: readonly Token[]): string {
  return treeJson(
    tokens.filter((token) => token.kind !== 'end').map(({ kind, text, span }) => ({ kind, text, ...span })),
  )
}

/** EXPLAIN ast. */
export const astText = (statement: Statement): string => treeText(namedTypes(statement))

export const astJson = (statement: Statement): string => treeJson(namedTypes(statement))

/** Puts the SQL spelling in place of every type, and leaves out empty lists. */
function namedTypes<T extends object>(node: T): Readonly<Record<string, unknown>> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(node)) {
    if (Array.isArray(value) && value.length === 0) continue
    result[key] = key === 'type' && isType(value) ? typeName(value) : rename(value)
  }
  return result
}

function rename(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rename)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  if ('kind' in value && value.kind === 'type' && 'type' in value && isType(value.type)) return typeName(value.type)
  return namedTypes(value)
}

const isType = (value: unknown): value is DataType =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind !== 'type'
