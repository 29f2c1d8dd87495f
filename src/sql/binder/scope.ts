import { didYouMean, nearestNames } from '../../core/suggest.ts'
import type { DataType, Field } from '../../core/types.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import type { Name } from '../ast.ts'
import { type SystemColumn, systemColumns } from '../system-columns.ts'
import { literal } from './casts.ts'
import { fault } from './failure.ts'
import type { RelationColumn } from './relation.ts'

/** One FROM item as names see it; `offset` is the position of its first column in the joined row. */
export interface ScopeInput {
  readonly alias: string | undefined
  /** `stream "clicks"`. */
  readonly label: string
  readonly columns: readonly RelationColumn[]
  readonly offset: number
}

export interface Scope {
  readonly inputs: readonly ScopeInput[]
  /** The event time of the rows: what `_event_time` and EVENT_TIME() mean. */
  readonly time?: FoundColumn | undefined
}

export interface FoundColumn {
  readonly column: RelationColumn
  readonly index: number
}

/** Exact matches, else those that differ in case only; a quoted name matches exactly. */
export function matching<T>(name: Name, items: readonly T[], nameOf: (item: T) => string): readonly T[] {
  const same = items.filter((item) => nameOf(item) === name.text)
  if (same.length > 0 || name.quoted) return same
  const lower = name.text.toLowerCase()
  return items.filter((item) => nameOf(item).toLowerCase() === lower)
}

const bySpelling = (name: Name, input: ScopeInput): FoundColumn[] =>
  matching(
    name,
    input.columns.map((column, i) => ({ column, index: input.offset + i })),
    (item) => item.column.name,
  ) as FoundColumn[]

/** The input with that alias; undefined when none has it. */
export function findInput(scope: Scope, name: Name): ScopeInput | undefined {
  const found = matching(name, scope.inputs, (input) => input.alias ?? '')
  if (found.length < 2) return found[0]
  return fault('sql_ambiguous_column', `"${name.text}" names ${found.length} inputs`, name.span, {
    hint: 'give each input its own alias',
  })
}

/** The column with that name over all inputs; undefined when there is none, a fault when there are several. */
export function findColumn(scope: Scope, name: Name): FoundColumn | undefined {
  const found = scope.inputs.flatMap((input) => bySpelling(name, input).map((item) => ({ ...item, input })))
  const shown = found.filter((item) => !item.column.hidden)
  const chosen = shown.length > 0 ? shown : found
  if (chosen.length < 2) return chosen[0]
  const exact = chosen.filter((item) => item.column.name === name.text)
  if (exact.length === 1) return exact[0]
  const spellings = new Set(chosen.map((item) => item.column.name))
  const hint =
    spellings.size > 1
      ? `quote the exact spelling: ${[...spellings].map((spelling) => `"${spelling}"`).join(' or ')}`
      : `qualify it: ${chosen.map((item) => `${item.input.alias ?? '…'}.${item.column.name}`).join(' or ')}`
  return fault('sql_ambiguous_column', `column "${name.text}" fits ${chosen.length} columns`, name.span, { hint })
}

export function findIn(input: ScopeInput, name: Name): FoundColumn | undefined {
  const all = bySpelling(name, input)
  const shown = all.filter((item) => !item.column.hidden)
  const found = shown.length > 0 ? shown : all
  if (found.length < 2) return found[0]
  return fault(
    'sql_ambiguous_column',
    `column "${name.text}" fits ${found.length} columns of ${input.label}`,
    name.span,
    {
      hint: 'rename one of them with AS where they come from',
    },
  )
}

export const columnExpr = ({ column, index }: FoundColumn, span?: Span): BoundExpr => ({
  kind: 'column',
  index,
  name: column.name,
  type: column.type,
  nullable: column.nullable,
  span,
})

/** A system column that the inputs do not have is NULL. */
export function absentSystemColumn(name: Name): BoundExpr | undefined {
  const key = name.text.toLowerCase()
  return Object.hasOwn(systemColumns, key) ? literal(systemColumns[key as SystemColumn], null, name.span) : undefined
}

export function columnNotFound(name: Name, inputs: readonly ScopeInput[]): never {
  const names = inputs.flatMap((input) => input.columns.filter((c) => !c.hidden).map((c) => c.name))
  const only = inputs.length === 1 ? inputs[0] : undefined
  const where =
    only === undefined ? (inputs.length === 0 ? '; there is no FROM' : ' in any input') : ` in ${only.label}`
  const list =
    names.length === 0 ? undefined : listed(only === undefined ? 'the inputs have' : `${tail(only.label)} has`, names)
  const near = didYouMean(name.text, names)
  const text = name.quoted ? `text stands in single quotes: '${name.text}'` : undefined
  return fault('sql_column_not_found', `column "${name.text}" does not exist${where}`, name.span, {
    hint:
      [near, list, text]
        .filter((part) => part !== undefined)
        .join('; ')
        .replace('?;', '?') || "add a FROM clause, or quote text as 'text'",
    suggestions: nearestNames(name.text, names).map((with_) => ({ replace: name.text, with: with_ })),
  })
}

/** `stream "clicks"` → `"clicks"`. */
const tail = (label: string): string => label.slice(Math.max(0, label.indexOf('"')))

const SHOWN = 12

const listed = (head: string, names: readonly string[]): string =>
  `${head} ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ' …' : ''}`

export function fieldNotFound(name: Name, operand: string, fields: readonly Field[]): never {
  const names = fields.map((field) => field.name)
  const near = didYouMean(name.text, names)
  return fault('sql_field_not_found', `field "${name.text}" does not exist in "${operand}"`, name.span, {
    hint: [near, listed(`"${operand}" has`, names)].filter((part) => part !== undefined).join(' '),
    suggestions: nearestNames(name.text, names).map((with_) => ({ replace: name.text, with: with_ })),
  })
}

/** Position of a STRUCT field. */
export function findField(name: Name, type: Extract<DataType, { kind: 'struct' }>, operand: string): number {
  const found = matching(
    name,
    type.fields.map((field, i) => ({ field, i })),
    (item) => item.field.name,
  )
  if (found.length === 0) return fieldNotFound(name, operand, type.fields)
  if (found.length === 1) return found[0]!.i
  return fault('sql_ambiguous_column', `field "${name.text}" fits ${found.length} fields of "${operand}"`, name.span, {
    hint: 'quote the exact spelling',
  })
}
