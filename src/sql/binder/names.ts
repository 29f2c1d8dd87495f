import { type DataType, typeName, types } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import type { ColumnExpr, FieldExpr, IndexExpr, Name } from '../ast.ts'
import { callFunction } from './call-function.ts'
import { literal } from './casts.ts'
import type { Binder } from './context.ts'
import { fault } from './failure.ts'
import { absentSystemColumn, columnExpr, columnNotFound, findColumn, findField, findIn, findInput } from './scope.ts'

/** `a`, `t.a`, `a.b.c`: an input alias first, then a column, then the fields behind it. */
export function bindColumn(expr: ColumnExpr, binder: Binder): BoundExpr {
  const [first, second] = [expr.parts[0]!, expr.parts[1]]
  const input = second === undefined ? undefined : findInput(binder.scope, first)
  if (input !== undefined && second !== undefined) {
    const found = findIn(input, second)
    const span = { start: first.span.start, end: second.span.end }
    const base = found === undefined ? absentSystemColumn(second) : columnExpr(found, span)
    if (base !== undefined) return fieldsOf(base, expr.parts.slice(2), span, binder)
    // `p.x` where `p` is an alias without column x, and also a column of its own.
    if (findColumn(binder.scope, first) === undefined) columnNotFound(second, [input])
  }
  return fieldsOf(bindName(first, binder), expr.parts.slice(1), first.span, binder)
}

function bindName(name: Name, binder: Binder): BoundExpr {
  const alias = binder.aliasFirst ? binder.alias(name) : undefined
  const window = alias === undefined ? binder.windows?.find(name.text) : undefined
  if (alias !== undefined || window !== undefined) return { ...(alias ?? window)!, span: name.span }
  const found = findColumn(binder.scope, name)
  const isTime = name.text.toLowerCase() === '_event_time' && found?.column.hidden !== false
  if (isTime && binder.scope.time !== undefined) return columnExpr(binder.scope.time, name.span)
  if (found !== undefined) return columnExpr(found, name.span)
  const late = binder.aliasFirst ? undefined : binder.alias(name)
  const absent = late ?? (binder.scope.inputs.length === 0 ? undefined : absentSystemColumn(name))
  if (absent === undefined) return columnNotFound(name, binder.scope.inputs)
  return { ...absent, span: name.span }
}

function fieldsOf(base: BoundExpr, names: readonly Name[], span: Span, binder: Binder): BoundExpr {
  let expr = base
  let end = span.end
  for (const name of names) {
    expr = fieldOf(
      expr,
      name,
      { start: span.start, end: name.span.end },
      binder.textOf({ start: span.start, end }),
      binder,
    )
    end = name.span.end
  }
  return expr
}

function fieldOf(operand: BoundExpr, name: Name, span: Span, text: string, binder: Binder): BoundExpr {
  const type = operand.type
  if (type.kind === 'struct') {
    const index = findField(name, type, text)
    const field = type.fields[index]!
    return { kind: 'field', arg: operand, index, type: field.type, nullable: operand.nullable || field.nullable, span }
  }
  if (type.kind === 'json') {
    return callFunction('->', [operand, literal(types.string, name.text, name.span)], span, binder)
  }
  return fault('sql_type_mismatch', `"${text}" is ${typeName(type)} and has no fields`, name.span, {
    hint: type.kind === 'map' ? `write ${text}['${name.text}']` : 'only STRUCT and JSON values have fields',
  })
}

export function bindField(expr: FieldExpr, binder: Binder): BoundExpr {
  const operand = binder.bind(expr.operand)
  return fieldOf(operand, expr.name, expr.span, binder.textOf(expr.operand.span), binder)
}

/** `x[i]`: an ARRAY by position (1-based), a MAP by key, JSON by position (0-based) or key. */
export function bindIndex(expr: IndexExpr, binder: Binder): BoundExpr {
  const operand = binder.bind(expr.operand)
  const index = binder.bind(expr.index)
  const kind: DataType['kind'] = operand.type.kind
  if (kind === 'json') return callFunction('->', [operand, index], expr.span, binder)
  if (kind === 'array' || kind === 'map') return callFunction('SUBSCRIPT', [operand, index], expr.span, binder)
  const text = binder.textOf(expr.operand.span)
  return fault('sql_type_mismatch', `"${text}" is ${typeName(operand.type)} and has no elements`, expr.span, {
    hint: 'only ARRAY, MAP and JSON values have elements',
  })
}
