import { type BoundExpr, childrenOf, mapExpr } from './bound.ts'
import { canWiden } from './coerce.ts'

/** True when evaluating the expression can fail a row, or may not be moved or repeated. */
export function isFallible(expr: BoundExpr): boolean {
  if (expr.kind === 'call' && (expr.overload.fallible || !expr.overload.deterministic)) return true
  if (expr.kind === 'cast' && !expr.safe && !canWiden(expr.arg.type, expr.type)) return true
  return childrenOf(expr).some(isFallible)
}

/** Replaces column references by the expressions that compute them. */
export function substitute(expr: BoundExpr, columns: readonly BoundExpr[]): BoundExpr {
  return mapExpr(expr, (node) => (node.kind === 'column' ? columns[node.index]! : node))
}
