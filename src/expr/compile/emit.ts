import { type DataType, types } from '../../core/types.ts'
import { hasLanes, type Value } from '../../core/values.ts'
import type { BoundExpr } from '../bound.ts'
import { caster } from '../cast/cast.ts'
import { IN_ITEMS_INLINE } from '../functions/comparison.ts'
import { RowFailure } from '../functions.ts'
import { columnPath, contextReader, type ExprContext, interpret } from '../interpret.ts'
import type { Operand } from '../loop.ts'
import { inlineCast } from './emit-cast.ts'
import { emitTextSpan } from './emit-span.ts'
import { emitTextCall } from './emit-text.ts'
import type { Leaves } from './leaves.ts'
import { FAILED, onlyPath, PerCode } from './per-code.ts'
import type { LoopControl, Source } from './source.ts'

/** What writing an expression needs. */
export interface EmitContext {
  readonly source: Source
  readonly leaves: Leaves
  readonly control: LoopControl
  readonly row: string
  readonly context: ExprContext
}

type NodeOf<K extends BoundExpr['kind']> = Extract<BoundExpr, { kind: K }>

const emitters: { readonly [K in BoundExpr['kind']]: (expr: NodeOf<K>, at: EmitContext) => Operand } = {
  literal: emitLiteral,
  column: (expr, at) => at.leaves.load(at.leaves.indexOf([expr.index]), expr.type),
  field: emitField,
  call: emitCall,
  cast: emitCast,
  and: (expr, at) => emitLogical(expr, at, false),
  or: (expr, at) => emitLogical(expr, at, true),
  case: emitCase,
  coalesce: emitCoalesce,
  'is-null': (expr, at) => {
    const { isNull } = emit(expr.arg, at)
    return { type: types.boolean, value: expr.negated ? `!(${isNull})` : `(${isNull})`, isNull: 'false' }
  },
  context: (expr, at) => ({
    type: expr.type,
    value: at.source.bound(contextReader(expr.name, at.context)),
    isNull: 'false',
  }),
}

/** Writes what computes the expression for the row at hand. */
export function emit(expr: BoundExpr, at: EmitContext): Operand {
  const known = at.source.remembered(expr) as Operand | undefined
  if (known !== undefined) return known
  const write = emitters[expr.kind] as (expr: BoundExpr, at: EmitContext) => Operand
  const operand = emitPerCode(expr, at) ?? write(expr, at)
  // The operand of CASE x WHEN … is one node under all its comparisons: it is computed once.
  if (expr.kind === 'call' && expr.overload.deterministic) at.source.remember(expr, operand)
  return operand
}

/** What a variable of this type holds before it is set. */
function emptyValue(type: DataType): string {
  switch (type.kind) {
    case 'boolean':
      return 'false'
    case 'string':
    case 'json':
      return "''"
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'decimal':
    case 'double':
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return '0'
    default:
      return 'null'
  }
}

/** A value outside the safe lane has no form in a loop. */
function emitLiteral({ type, value }: NodeOf<'literal'>, { source, control }: EmitContext): Operand {
  if (value === null) return { type, value: emptyValue(type), isNull: 'true' }
  if (typeof value === 'bigint') {
    source.line(`if (true) ${control.redoRow}`)
    return { type, value: '0', isNull: 'false' }
  }
  return { type, value: literalText(value, source), isNull: 'false' }
}

function literalText(value: Exclude<Value, null | bigint>, source: Source): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number') return source.constant(value)
  if (Object.is(value, -0)) return '(-0)'
  return value < 0 ? `(${value})` : String(value)
}

function emitField(expr: NodeOf<'field'>, at: EmitContext): Operand {
  const path = columnPath(expr)
  if (path !== undefined) return at.leaves.load(at.leaves.indexOf(path), expr.type)
  const { source } = at
  const arg = emit(expr.arg, at)
  const struct = source.local(arg.isNull === 'false' ? arg.value : `${arg.isNull} ? null : ${arg.value}`)
  return fromValue(`${struct} === null ? null : ${struct}[${expr.index}]`, expr.type, at)
}

/** Takes a `Value` into loop form: NULL apart, values of the wide lane to the interpreter. */
function fromValue(expression: string, type: DataType, { source, control }: EmitContext): Operand {
  const value = source.local(expression)
  if (hasLanes(type)) source.line(`if (typeof ${value} === 'bigint') ${control.redoRow}`)
  return { type, value, isNull: `${value} === null` }
}

const nullOf = (args: readonly Operand[]): string => {
  const nulls = args.map((arg) => arg.isNull).filter((text) => text !== 'false')
  return nulls.length === 0 ? 'false' : nulls.join(' || ')
}

function emitCall(expr: NodeOf<'call'>, at: EmitContext): Operand {
  const { overload } = expr
  const args = expr.args.map((arg) => emit(arg, at))
  const listed = emitInSet(expr, args[0], at.source)
  if (listed !== undefined) return listed
  const text = emitTextCall(expr, args, at.source) ?? emitTextSpan(expr, args, at.source, at.context.scratch)
  if (text !== undefined) return text
  // IN is NULL only where its first operand or an item is.
  const strict = !overload.seesNull || nullOf(overload.name === 'IN' ? args.slice(1) : args) === 'false'
  if (overload.inline !== undefined && strict) {
    const { inline } = overload
    const operands = args.map((arg) => at.source.local(arg.value))
    return emitStrict(expr.type, args, at, () => inline(at.source.inlineContext(at.control), ...operands))
  }
  if (overload.seesNull) {
    const values = args.map((arg) => (arg.isNull === 'false' ? arg.value : `(${arg.isNull}) ? null : ${arg.value}`))
    // A cast of JSON null gives NULL where the plan expects none, so the answer is looked at.
    return emitGeneric(expr, overload.call, { args: [], values, nullable: true }, at)
  }
  const values = args.map((arg) => arg.value)
  return emitGeneric(expr, overload.call, { args, values, nullable: overload.nullable }, at)
}

/** Kinds whose values are equal exactly when a Set says so (NaN equals NaN, −0 equals 0). */
const SET_KINDS = new Set([
  'smallint',
  'int',
  'bigint',
  'decimal',
  'double',
  'string',
  'date',
  'timestamp',
  'timestamptz',
])

/** IN over a long list of constants: one look-up in place of as many comparisons. */
function emitInSet(call: NodeOf<'call'>, subject: Operand | undefined, source: Source): Operand | undefined {
  if (call.overload.name !== 'IN' || subject === undefined || call.args.length - 1 <= IN_ITEMS_INLINE) return undefined
  const items = call.args.slice(1).map((arg) => (arg.kind === 'literal' ? arg.value : null))
  if (items.includes(null) || !SET_KINDS.has(subject.type.kind)) return undefined
  return { type: call.type, value: `${source.constant(new Set(items))}.has(${subject.value})`, isNull: subject.isNull }
}

/** An expression that is written only for rows without NULL among `args` when it checks anything. */
function emitStrict(type: DataType, args: readonly Operand[], at: EmitContext, write: () => string): Operand {
  const { source } = at
  let value = ''
  const lines = source.captured(() => {
    value = write()
  })
  const nulls = nullOf(args)
  if (lines.length === 0 || nulls === 'false') {
    for (const line of lines) source.line(line)
    return { type, value, isNull: nulls }
  }
  const isNull = source.local(nulls)
  const result = source.name('r')
  source.line(`let ${result} = ${emptyValue(type)}`)
  source.line(`if (!(${isNull})) {`)
  for (const line of lines) source.line(line)
  source.line(`${result} = ${value}`)
  source.line('}')
  return { type, value: result, isNull }
}

interface CallParts {
  /** Arguments that make the result NULL. */
  readonly args: readonly Operand[]
  readonly values: readonly string[]
  readonly nullable: boolean
}

/** A call of a function over values of the form `Value`. */
function emitGeneric(
  expr: NodeOf<'call' | 'cast'>,
  call: (...args: Value[]) => Value,
  { args, values, nullable }: CallParts,
  at: EmitContext,
): Operand {
  const { source, control } = at
  const fallible = expr.kind === 'cast' || expr.overload.fallible
  const nulls = nullOf(args)
  const isNull = source.name('n')
  const result = source.name('r')
  source.line(`let ${result} = ${emptyValue(expr.type)}, ${isNull} = ${nulls}`)
  if (nulls !== 'false') source.line(`if (!${isNull}) {`)
  const found = source.name('t')
  const text = `${source.constant(call)}(${values.join(', ')})`
  source.line(`let ${found}`)
  if (fallible) {
    source.line(`try { ${found} = ${text} } catch (error) {`)
    source.line(`if (!(error instanceof ${source.constant(RowFailure)})) throw error`)
    source.line(control.failRow)
    source.line('}')
  } else source.line(`${found} = ${text}`)
  if (hasLanes(expr.type)) source.line(`if (typeof ${found} === 'bigint') ${control.redoRow}`)
  source.line(nullable ? `if (${found} === null) ${isNull} = true; else ${result} = ${found}` : `${result} = ${found}`)
  if (nulls !== 'false') source.line('}')
  return { type: expr.type, value: result, isNull: nullable || nulls !== 'false' ? isNull : 'false' }
}

function emitCast(expr: NodeOf<'cast'>, at: EmitContext): Operand {
  const arg = emit(expr.arg, at)
  const isText = expr.arg.type.kind === 'string' && expr.type.kind === 'string' && expr.type.length === undefined
  if (isText) return { ...arg, type: expr.type }
  const inline = expr.safe ? undefined : inlineCast(expr.arg.type, expr.type)
  if (inline !== undefined) {
    const value = at.source.local(arg.value)
    return emitStrict(expr.type, [arg], at, () => inline(at.source.inlineContext(at.control), value))
  }
  const cast = caster(expr.arg.type, expr.type)
  const nullable = expr.safe || expr.arg.type.kind === 'json'
  const call = expr.safe ? trying(cast) : (value: Value) => cast(value as Exclude<Value, null>)
  return emitGeneric(expr, call as (...args: Value[]) => Value, { args: [arg], values: [arg.value], nullable }, at)
}

const trying =
  (cast: ReturnType<typeof caster>): ((value: Value) => Value) =>
  (value) => {
    try {
      return cast(value as Exclude<Value, null>)
    } catch (failure) {
      if (failure instanceof RowFailure) return null
      throw failure
    }
  }

/** AND (`decisive` false), OR (`decisive` true): later operands are evaluated only while the answer is open. */
function emitLogical(expr: NodeOf<'and' | 'or'>, at: EmitContext, decisive: boolean): Operand {
  const { source } = at
  const result = source.name('r')
  const unknown = source.name('n')
  const open = decisive ? `!${result}` : result
  source.line(`let ${result} = ${!decisive}, ${unknown} = false`)
  let nullable = false
  expr.args.forEach((arg, i) => {
    if (i > 0) source.line(`if (${open}) {`)
    const operand = emit(arg, at)
    const set = `if (${decisive ? operand.value : `!(${operand.value})`}) ${result} = ${decisive}`
    if (operand.isNull === 'false') source.line(set)
    else {
      nullable = true
      source.line(`if (${operand.isNull}) ${unknown} = true; else ${set}`)
    }
    if (i > 0) source.line('}')
  })
  return { type: types.boolean, value: result, isNull: nullable ? `(${unknown} && ${open})` : 'false' }
}

/** Assigns an operand to a pair of variables. */
function assign(operand: Operand, result: string, isNull: string): string {
  if (operand.isNull === 'true') return ''
  if (operand.isNull === 'false') return `${result} = ${operand.value}; ${isNull} = false`
  return `if (!(${operand.isNull})) { ${result} = ${operand.value}; ${isNull} = false }`
}

function emitCase(expr: NodeOf<'case'>, at: EmitContext): Operand {
  const { source } = at
  const result = source.name('r')
  const isNull = source.name('n')
  source.line(`let ${result} = ${emptyValue(expr.type)}, ${isNull} = true`)
  let nullable = expr.otherwise === undefined
  const give = (branch: BoundExpr) => {
    const operand = emit(branch, at)
    nullable ||= operand.isNull !== 'false'
    source.line(assign(operand, result, isNull))
  }
  for (const { when, result: branch } of expr.branches) {
    const condition = emit(when, at)
    const holds = condition.isNull === 'false' ? condition.value : `!(${condition.isNull}) && ${condition.value}`
    source.line(`if (${holds}) {`)
    give(branch)
    source.line('} else {')
  }
  if (expr.otherwise !== undefined) give(expr.otherwise)
  source.line('}'.repeat(expr.branches.length))
  return { type: expr.type, value: result, isNull: nullable ? isNull : 'false' }
}

function emitCoalesce(expr: NodeOf<'coalesce'>, at: EmitContext): Operand {
  const { source } = at
  const result = source.name('r')
  const isNull = source.name('n')
  source.line(`let ${result} = ${emptyValue(expr.type)}, ${isNull} = true`)
  let opened = 0
  let nullable = true
  for (const arg of expr.args) {
    if (opened > 0) source.line(`if (${isNull}) {`)
    const operand = emit(arg, at)
    source.line(assign(operand, result, isNull))
    opened++
    if (operand.isNull === 'false') {
      nullable = false
      break
    }
  }
  source.line('}'.repeat(Math.max(0, opened - 1)))
  return { type: expr.type, value: result, isNull: nullable ? isNull : 'false' }
}

/** An expression over one dictionary column is evaluated once per code. */
function emitPerCode(expr: BoundExpr, at: EmitContext): Operand | undefined {
  if (expr.kind === 'column' || expr.kind === 'literal' || expr.kind === 'field' || expr.kind === 'is-null')
    return undefined
  const path = onlyPath(expr)
  if (path === undefined) return undefined
  const { source, leaves, control } = at
  const leaf = leaves.indexOf(path)
  if (leaves.column(leaf)?.kind !== 'dict') return undefined
  const cache = source.constant(new PerCode(interpret(expr, at.context)))
  const answers = source.name('answers')
  source.before(`const ${answers} = ${cache}.answersOf(c$${leaf}.dictionary)`)
  const operand = leaves.load(leaf, types.string)
  const code = leaves.code(leaf)
  const compute = `${cache}.compute(batch, ${at.row})`
  const found = source.name('t')
  source.line(
    `let ${found} = ${operand.isNull === 'false' ? '' : `(${operand.isNull}) ? ${compute} : `}${answers}[${code}]`,
  )
  source.line(`if (${found} === undefined) ${found} = ${answers}[${code}] = ${compute}`)
  source.line(`if (${found} === ${source.constant(FAILED)}) ${control.failRow}`)
  return fromValue(found, expr.type, at)
}
