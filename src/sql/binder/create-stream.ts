import { type Field, types } from '../../core/types.ts'
import type { BoundExpr } from '../../expr/bound.ts'
import { castable } from '../../expr/coerce.ts'
import type { Expr, Name } from '../ast.ts'
import type { ColumnNode, CreateStream, WatermarkElement } from '../ast-statements.ts'
import type { OptionEntry } from '../catalogue.ts'
import { type SystemColumn, systemColumns } from '../system-columns.ts'
import { castArgument } from './call-function.ts'
import { castTo, literal } from './casts.ts'
import { constantMicros } from './constants.ts'
import type { Binder } from './context.ts'
import { clauseBinder } from './expressions.ts'
import { fault, silent, unsupported } from './failure.ts'
import { condition } from './operators.ts'
import type { CheckRelation, Relation, RelationColumn, SourceRelation, WatermarkRelation } from './relation.ts'
import { columnExpr, findIn, matching, type Scope } from './scope.ts'
import type { QueryContext } from './script-scope.ts'
import { castInZone } from './session-zone.ts'
import { mayBeNull } from './settings.ts'
import { checkTimeOption, sourceRelation, timed } from './sources.ts'

/** CREATE STREAM s [(columns)] FROM 'uri'. */
export async function bindSourceStream(
  statement: CreateStream,
  uri: string,
  options: readonly OptionEntry[],
  context: QueryContext,
): Promise<Relation> {
  const { columns: elements, name, from } = statement
  const span = from?.span ?? name.span
  if (elements !== undefined) refuseKeys(statement)
  const physical = elements?.columns.filter(isPhysical) ?? []
  const declared = elements !== undefined && physical.length > 0
  const columns = declared ? { fields: physical.map(fieldOf) } : undefined
  const info = await context.sources.info({ uri, options, columns }, span)
  const required = new Set(
    physical.filter((column) => column.notNull && column.default === undefined).map((column) => column.name.text),
  )
  const source: SourceRelation = { ...sourceRelation(name.text, info, required), label: `stream "${name.text}"` }
  if (elements?.watermark === undefined) checkTimeOption(source, span)
  if (elements === undefined) return timed(source)
  const shaped = new Shape(source, elements.columns, declared, context).project()
  const checked = checks(shaped, elements.columns, elements.checks, context)
  return watermark(checked, source, elements.watermark, context)
}

const isPhysical = (column: ColumnNode): boolean => column.computed === undefined && column.metadata === undefined

function refuseKeys(statement: CreateStream): void {
  const elements = statement.columns!
  const marked = elements.columns.find((column) => column.primaryKey)
  const name: Name | undefined = elements.primaryKey[0] ?? marked?.name
  if (name !== undefined)
    unsupported('PRIMARY KEY on a stream', name.span, 'mark the key in the query: SELECT c PRIMARY KEY')
  for (const [i, column] of elements.columns.entries()) {
    const before = elements.columns.slice(0, i).find((other) => other.name.text === column.name.text)
    if (before === undefined) continue
    fault('sql_duplicate_column', `column "${column.name.text}" is declared twice`, column.name.span, {
      hint: 'give one of them another name',
    })
  }
}

function fieldOf(column: ColumnNode): Field {
  if (column.type === undefined) {
    return fault('sql_unexpected_token', `column "${column.name.text}" has no type`, column.span, {
      hint: `write a type: ${column.name.text} STRING`,
    })
  }
  return { name: column.name.text, type: column.type.type, nullable: !column.notNull || column.default !== undefined }
}

/** Declared columns in their order: physical, with defaults, computed, metadata; then the system columns. */
class Shape {
  readonly #source: SourceRelation
  readonly #written: readonly ColumnNode[]
  readonly #declared: boolean
  readonly #context: QueryContext
  readonly #known = new Map<ColumnNode, BoundExpr>()
  readonly #outputs: BoundExpr[] = []
  readonly #columns: RelationColumn[] = []

  constructor(source: SourceRelation, written: readonly ColumnNode[], declared: boolean, context: QueryContext) {
    this.#source = source
    this.#written = written
    this.#declared = declared
    this.#context = context
  }

  project(): Relation {
    const source = this.#source
    const plain = this.#declared && this.#written.every((column) => isPhysical(column) && column.default === undefined)
    if (plain || (!this.#declared && this.#written.length === 0)) return source
    // Discovered columns come first when only computed ones are written.
    if (!this.#declared) this.#copy(source.columns.filter((column) => !column.hidden))
    const { reporter } = this.#context.environment
    const added = this.#written.map((column) => reporter.attempt(() => this.#add(column)))
    if (added.includes(undefined)) silent()
    this.#copy(source.columns.filter((column) => column.hidden))
    return { kind: 'project', input: source, outputs: this.#outputs, columns: this.#columns, label: source.label }
  }

  #copy(columns: readonly RelationColumn[]): void {
    for (const column of columns) this.#push(column.name, this.#physical(column), column.hidden)
  }

  #physical(column: RelationColumn): BoundExpr {
    return columnExpr({ column, index: this.#source.columns.indexOf(column) })
  }

  #push(name: string, expr: BoundExpr, hidden: boolean): void {
    this.#outputs.push(expr)
    this.#columns.push({ name, type: expr.type, nullable: mayBeNull(expr, this.#context.environment), hidden })
  }

  #add(column: ColumnNode): true {
    const value = this.#value(column)
    this.#known.set(column, value)
    this.#push(column.name.text, value, false)
    return true
  }

  #value(column: ColumnNode): BoundExpr {
    const name = column.name.text
    if (column.metadata !== undefined) return this.#metadata(column)
    if (column.computed !== undefined) return this.#computed(column, column.computed)
    const found = this.#source.columns.find((candidate) => candidate.name === name && !candidate.hidden)
    const value = this.#physical(found ?? silent())
    return column.default === undefined ? value : this.#withDefault(value, column, column.default)
  }

  #binder(place: string): Binder {
    const { label, columns } = this.#source
    const scope: Scope = { inputs: [{ alias: undefined, label, columns, offset: 0 }] }
    // A computed column sees the declared columns: with their defaults, and the computed ones before it.
    const alias = (name: Name) => {
      const [column] = matching(name, this.#written, (candidate) => candidate.name.text)
      if (column === undefined || place === 'DEFAULT') return undefined
      return this.#known.get(column) ?? (isPhysical(column) ? this.#value(column) : undefined)
    }
    return clauseBinder({ environment: this.#context.environment, scope, place, alias, aliasFirst: true })
  }

  #computed(column: ColumnNode, written: Expr): BoundExpr {
    const binder = this.#binder('a computed column')
    const expr = binder.bind(written)
    return column.type === undefined ? expr : castArgument(expr, column.type.type, binder)
  }

  #withDefault(value: BoundExpr, column: ColumnNode, written: Expr): BoundExpr {
    const binder = this.#binder('DEFAULT')
    const bound = binder.bind(written)
    if (!castable(bound.type, value.type)) {
      return fault('sql_type_mismatch', `the default of "${column.name.text}" does not fit its type`, written.span, {
        hint: 'write a value of the type of the column',
      })
    }
    const fallback = castArgument(bound, value.type, binder)
    return {
      kind: 'coalesce',
      args: [value, fallback],
      type: value.type,
      nullable: fallback.nullable,
      span: column.span,
    }
  }

  #metadata(column: ColumnNode): BoundExpr {
    const wanted = (column.metadata!.from ?? column.name.text).toLowerCase()
    const key = wanted.startsWith('_') ? wanted : `_${wanted}`
    if (!Object.hasOwn(systemColumns, key)) {
      return fault('sql_column_not_found', `"${wanted}" is no system column`, column.metadata!.span, {
        hint: `system columns are ${Object.keys(systemColumns).slice(0, 6).join(', ')} …`,
      })
    }
    const found = this.#source.columns.find((candidate) => candidate.name === key && candidate.hidden)
    const expr = found === undefined ? literal(systemColumns[key as SystemColumn], null) : this.#physical(found)
    return column.type === undefined ? expr : castInZone(castTo(expr, column.type.type), this.#context.environment)
  }
}

/** CHECK, and NOT NULL where the decoder cannot see it. */
function checks(
  input: Relation,
  columns: readonly ColumnNode[],
  table: readonly Expr[],
  context: QueryContext,
): Relation {
  const { reporter } = context.environment
  const scope: Scope = { inputs: [{ alias: undefined, label: input.label, columns: input.columns, offset: 0 }] }
  const binder = clauseBinder({ environment: context.environment, scope, place: 'CHECK' })
  const all: CheckRelation['checks'][number][] = []
  for (const column of columns) {
    const found = findIn(scope.inputs[0]!, { ...column.name, quoted: true })
    const late = column.notNull && (!isPhysical(column) || column.default !== undefined)
    if (!late || found === undefined || !found.column.nullable) continue
    const value = columnExpr(found, column.span)
    const expr: BoundExpr = { kind: 'is-null', arg: value, negated: true, type: types.boolean, nullable: false }
    all.push({ expr, code: 'row_not_null_violated', text: `${column.name.text} NOT NULL` })
  }
  for (const written of [...columns.flatMap((column) => column.checks), ...table]) {
    const expr = reporter.attempt(() => condition(written, binder))
    if (expr !== undefined)
      all.push({ expr, code: 'row_check_violated', text: `CHECK (${binder.textOf(written.span)})` })
  }
  return all.length === 0 ? input : { kind: 'check', input, checks: all, columns: input.columns, label: input.label }
}

/** WATERMARK FOR c [AS expr]; without one the options of the source decide, or the first window. */
function watermark(
  input: Relation,
  source: SourceRelation,
  written: WatermarkElement | undefined,
  context: QueryContext,
): Relation {
  const { info } = source
  const columns: RelationColumn[] = []
  const base = { kind: 'watermark', input, defaultDelayMicros: info.watermarkDelayMicros, label: input.label } as const
  const make = (time: WatermarkRelation['time']): WatermarkRelation => {
    const relation: WatermarkRelation = { ...base, columns, declared: time !== undefined, time }
    columns.push(...input.columns.map((column, i) => ({ ...column, origin: { watermark: relation, column: i } })))
    return relation
  }
  if (written === undefined) {
    const column = input.columns.findIndex((candidate) => candidate.name === info.eventTime?.column)
    return make(column < 0 ? undefined : { column, delayMicros: info.eventTime!.delayMicros, expr: undefined })
  }
  const scope: Scope = { inputs: [{ alias: undefined, label: input.label, columns: input.columns, offset: 0 }] }
  const binder = clauseBinder({ environment: context.environment, scope, place: 'WATERMARK' })
  const time = binder.bind({ kind: 'column', parts: [written.column], span: written.column.span })
  if (time.kind !== 'column' || (time.type.kind !== 'timestamp' && time.type.kind !== 'timestamptz')) {
    return fault(
      'sql_type_mismatch',
      `the event time "${written.column.text}" must be a TIMESTAMP`,
      written.column.span,
      {
        hint: `declare it as TIMESTAMP, or add a computed column: t AS CAST(${written.column.text} AS TIMESTAMP)`,
      },
    )
  }
  const column = time.index
  if (written.expr === undefined) return make({ column, delayMicros: info.watermarkDelayMicros, expr: undefined })
  const delay = constantDelay(written.expr, column, binder)
  if (delay !== undefined) return make({ column, delayMicros: delay, expr: undefined })
  const expr = castArgument(binder.bind(written.expr), types.timestamp, binder)
  return make({ column, delayMicros: 0, expr })
}

/** The delay of `c` and `c - INTERVAL …`; undefined for any other expression. */
function constantDelay(written: Expr, column: number, binder: Binder): number | undefined {
  const isTime = (expr: Expr): boolean => {
    const bound = binder.bind(expr)
    return bound.kind === 'column' && bound.index === column
  }
  if (written.kind === 'column') return isTime(written) ? 0 : undefined
  if (written.kind !== 'binary' || written.op !== '-' || written.left.kind !== 'column' || !isTime(written.left))
    return undefined
  const micros = constantMicros(binder.bind(written.right))
  return micros === undefined || micros < 0 ? undefined : micros
}
