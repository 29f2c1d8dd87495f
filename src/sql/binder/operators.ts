import { types } from '../../core/types.ts'
import type { BoundExpr } from '../../expr/bound.ts'
import type { BetweenExpr, BinaryExpr, Expr, InExpr, IsExpr, LikeExpr, UnaryExpr } from '../ast.ts'
import { castCondition, commonTypeFor } from './branches.ts'
import { callFunction, castArgument, castHint } from './call-function.ts'
import { alignLiterals, literal } from './casts.ts'
import { foldConstant } from './constants.ts'
import type { Binder } from './context.ts'
import { fault, unsupported } from './failure.ts'
import { checkZone } from './settings.ts'

const comparisons: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>='])
const later: ReadonlySet<string> = new Set(['@>', '?', '&', '#', '|', '<<', '>>'])

export function bindBinary(expr: BinaryExpr, binder: Binder): BoundExpr {
  if (expr.op === 'AND' || expr.op === 'OR') return bindLogical(expr, binder)
  if (later.has(expr.op)) return unsupported(`the operator ${expr.op}`, expr.opSpan)
  const left = binder.bind(expr.left)
  const right = binder.bind(expr.right)
  if (expr.op === 'AT TIME ZONE' && right.kind === 'literal' && typeof right.value === 'string') {
    checkZone(right.value, 'sql_invalid_literal', expr.right.span)
  }
  return compareOrCall(expr.op, left, right, expr, binder)
}

function compareOrCall(op: string, left: BoundExpr, right: BoundExpr, at: Expr, binder: Binder): BoundExpr {
  const regex = /^(!?)~(\*?)$/.exec(op)
  if (regex !== null) {
    const flags = regex[2] === '*' ? [literal(types.string, 'i')] : []
    const match = callFunction('REGEXP_LIKE', [left, right, ...flags], at.span, binder)
    return regex[1] === '!' ? callFunction('NOT', [match], at.span, binder) : match
  }
  const args = comparisons.has(op) ? alignLiterals(left, right) : [left, right]
  return callFunction(op, args, at.span, binder)
}

/** `a AND b AND c` becomes one node, left to right. */
function bindLogical(expr: BinaryExpr, binder: Binder): BoundExpr {
  const kind = expr.op === 'AND' ? 'and' : 'or'
  const parts: Expr[] = []
  let rest: Expr = expr
  while (rest.kind === 'binary' && rest.op === expr.op) {
    parts.push(rest.right)
    rest = rest.left
  }
  const operands = [rest, ...parts.reverse()]
  const args = operands.map((operand) => condition(operand, binder))
  return { kind, args, type: types.boolean, nullable: args.some((arg) => arg.nullable), span: expr.span }
}

/** An operand that must be BOOLEAN. */
export const condition = (expr: Expr, binder: Binder): BoundExpr => castCondition(binder.bind(expr), expr, binder)

const not = (expr: BoundExpr, at: Expr, binder: Binder): BoundExpr => callFunction('NOT', [expr], at.span, binder)

export function bindUnary(expr: UnaryExpr, binder: Binder): BoundExpr {
  if (expr.op === 'NOT') return not(condition(expr.operand, binder), expr, binder)
  if (expr.op === '~') return unsupported('the operator ~', expr.span)
  const operand = binder.bind(expr.operand)
  if (expr.op === '+') return operand
  return foldConstant(callFunction('unary-', [operand], expr.span, binder))
}

export function bindIs(expr: IsExpr, binder: Binder): BoundExpr {
  const operand = binder.bind(expr.operand)
  const span = expr.span
  const flip = (bound: BoundExpr): BoundExpr => (expr.negated ? not(bound, expr, binder) : bound)
  const isNull = (negated: boolean): BoundExpr => ({
    kind: 'is-null',
    arg: operand,
    negated,
    type: types.boolean,
    nullable: false,
    span,
  })
  switch (expr.test) {
    case 'null':
    case 'unknown':
      return isNull(expr.negated)
    case 'json':
      return flip(callFunction('IS JSON', [operand], span, binder))
    case 'distinct': {
      const args = alignLiterals(operand, binder.bind(expr.other!))
      return flip(callFunction('IS DISTINCT FROM', args, span, binder))
    }
    case 'true':
    case 'false':
      return flip(
        callFunction(`IS ${expr.test.toUpperCase()}`, [castArgument(operand, types.boolean, binder)], span, binder),
      )
  }
}

export function bindBetween(expr: BetweenExpr, binder: Binder): BoundExpr {
  const operand = binder.bind(expr.operand)
  const low = binder.bind(expr.low)
  const high = binder.bind(expr.high)
  if (expr.symmetric) {
    const within = callFunction('BETWEEN SYMMETRIC', [operand, low, high], expr.span, binder)
    return expr.negated ? not(within, expr, binder) : within
  }
  const args = [compareOrCall('>=', operand, low, expr, binder), compareOrCall('<=', operand, high, expr, binder)]
  const both: BoundExpr = {
    kind: 'and',
    args,
    type: types.boolean,
    nullable: args.some((arg) => arg.nullable),
    span: expr.span,
  }
  return expr.negated ? not(both, expr, binder) : both
}

export function bindIn(expr: InExpr, binder: Binder): BoundExpr {
  if (!Array.isArray(expr.list)) return unsupported('a subquery behind IN', expr.span, 'list the values')
  const list = expr.list as readonly Expr[]
  const operand = binder.bind(expr.operand)
  const items = list.map((item) => alignLiterals(operand, binder.bind(item))[1])
  const type = commonTypeFor([operand, ...items], [expr.operand, ...list], binder)
  const args = [operand, ...items].map((arg) => castArgument(arg, type, binder))
  const found = callFunction('IN', args, expr.span, binder)
  return expr.negated ? not(found, expr, binder) : found
}

export function bindLike(expr: LikeExpr, binder: Binder): BoundExpr {
  const operand = binder.bind(expr.operand)
  if (operand.type.kind !== 'string' && operand.type.kind !== 'null') {
    const text = binder.textOf(expr.operand.span)
    return fault(
      'sql_type_mismatch',
      `LIKE compares strings, but "${text}" is ${operand.type.kind.toUpperCase()}`,
      expr.span,
      {
        hint: castHint([operand, literal(types.string, '')], binder) ?? `write CAST(${text} AS STRING)`,
      },
    )
  }
  const rest = [expr.pattern, ...(expr.escape === undefined ? [] : [expr.escape])].map((part) => binder.bind(part))
  const args = [castArgument(operand, types.string, binder), ...rest]
  const match = callFunction(expr.insensitive ? 'ILIKE' : 'LIKE', args, expr.span, binder)
  return expr.negated ? not(match, expr, binder) : match
}
