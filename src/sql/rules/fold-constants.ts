import { types } from '../../core/types.ts'
import { type BoundExpr, mapExpr } from '../../expr/bound.ts'
import { isFallible } from '../../expr/fallible.ts'
import { literal } from '../binder/casts.ts'
import { foldConstant } from '../binder/constants.ts'
import type { Output, PlanNode } from '../plan.ts'
import { mapNodeExprs, rewrite } from './rewrite.ts'

/** Computes what is constant, drops what AND and OR do not need, and filters that are TRUE. */
export const foldConstants = (outputs: readonly Output[]): Output[] => rewrite(outputs, foldNode)

function foldNode(node: PlanNode): PlanNode {
  const folded = mapNodeExprs(node, (expr) => mapExpr(expr, foldOne))
  return folded.kind === 'filter' && isTrue(folded.predicate) ? folded.input : folded
}

const isTrue = (expr: BoundExpr): boolean => expr.kind === 'literal' && expr.value === true

function foldOne(expr: BoundExpr): BoundExpr {
  if (expr.kind === 'and' || expr.kind === 'or') return foldLogical(expr)
  if (expr.kind === 'is-null' && expr.arg.kind === 'literal') {
    return literal(types.boolean, (expr.arg.value === null) !== expr.negated, expr.span)
  }
  if (expr.kind === 'case') return foldCase(expr)
  if (expr.kind === 'coalesce') return foldCoalesce(expr)
  return foldConstant(expr)
}

/** What comes before a deciding constant must stay: it may fail. */
function foldLogical(expr: Extract<BoundExpr, { kind: 'and' | 'or' }>): BoundExpr {
  const neutral = expr.kind === 'and'
  const args: BoundExpr[] = []
  for (const arg of expr.args) {
    if (arg.kind === 'literal' && arg.value === neutral) continue
    args.push(arg)
    if (arg.kind === 'literal' && arg.value === !neutral) break
  }
  const last = args.at(-1)
  if (last === undefined) return literal(types.boolean, neutral, expr.span)
  if (last.kind === 'literal' && last.value === !neutral && !args.some(isFallible)) return last
  if (args.length === 1) return args[0]!
  return { ...expr, args, nullable: args.some((arg) => arg.nullable) }
}

function foldCase(expr: Extract<BoundExpr, { kind: 'case' }>): BoundExpr {
  const branches = expr.branches.filter(
    ({ when }) => !(when.kind === 'literal' && (when.value === false || when.value === null)),
  )
  const first = branches[0]
  if (first === undefined) return expr.otherwise ?? literal(expr.type, null, expr.span)
  return isTrue(first.when) ? first.result : { ...expr, branches }
}

function foldCoalesce(expr: Extract<BoundExpr, { kind: 'coalesce' }>): BoundExpr {
  const args: BoundExpr[] = []
  for (const arg of expr.args) {
    if (arg.kind === 'literal' && arg.value === null) continue
    args.push(arg)
    if (!arg.nullable) break
  }
  if (args.length === 0) return literal(expr.type, null, expr.span)
  return args.length === 1 ? args[0]! : { ...expr, args, nullable: args.every((arg) => arg.nullable) }
}
