import type { Batch } from '../../core/batch.ts'
import type { DictColumn } from '../../core/column.ts'
import { ColumnBuilder } from '../../core/column-builder.ts'
import { valueAt } from '../../core/column-read.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import { Scratch } from '../../core/scratch.ts'
import type { Schema } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { BoundExpr } from '../bound.ts'
import { aggregateFunctions, scalarFunctions } from '../catalogue.ts'
import type { Argument } from '../functions.ts'

/** A batch of the rows given; for tests. */
export function batchOf(schema: Schema, rows: readonly (readonly Value[])[], memory: WorkerMemory): Batch {
  const columns = schema.fields.map((f, i) => {
    const builder = new ColumnBuilder(f.type, Math.max(rows.length, 1), memory)
    for (const row of rows) builder.append(row[i]!)
    return builder.finish()
  })
  return { schema, rows: rows.length, columns }
}

/** A STRING column by code. */
export function dictColumn(values: readonly (string | null)[], memory: WorkerMemory): DictColumn {
  const strings = [...new Set(values.filter((value) => value !== null))]
  const scratch = new Scratch(memory)
  const spans = new Uint32Array(2 * Math.max(1, strings.length))
  for (const [i, text] of strings.entries()) {
    spans[2 * i] = scratch.text(text)
    spans[2 * i + 1] = scratch.lastLength
  }
  return {
    kind: 'dict',
    type: { kind: 'string' },
    validity: values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 0 : 1)) : undefined,
    codes: Int32Array.from(values, (value) => (value === null ? 0 : strings.indexOf(value))),
    dictionary: { entries: strings.length, spans, bytes: memory.bytes, strings },
  }
}

export const rowsOf = (batch: Batch | undefined): Value[][] =>
  batch === undefined
    ? []
    : Array.from({ length: batch.rows }, (_, row) => batch.columns.map((column) => valueAt(column, row)))

export const literal = (type: BoundExpr['type'], value: Value): BoundExpr => ({
  kind: 'literal',
  type,
  value,
  nullable: value === null,
})

export const columnExpr = (schema: Schema, index: number): BoundExpr => {
  const { name, type, nullable } = schema.fields[index]!
  return { kind: 'column', index, name, type, nullable }
}

const argumentOf = (expr: BoundExpr): Argument => ({
  type: expr.type,
  nullable: expr.nullable,
  constant: expr.kind === 'literal' ? { value: expr.value } : undefined,
})

export const castTo = (arg: BoundExpr, type: BoundExpr['type'], safe = false): BoundExpr => ({
  kind: 'cast',
  arg,
  type,
  safe,
  nullable: arg.nullable || safe,
})

/** A call with casts around its arguments, as the binder makes it; undefined when nothing accepts them. */
export function tryCall(name: string, args: readonly BoundExpr[]): BoundExpr | undefined {
  const overload = scalarFunctions.get(name)?.resolve(args.map(argumentOf))
  if (overload === undefined) return undefined
  const cast = args.map((arg, i) => {
    const type = overload.parameters[i]!
    return JSON.stringify(arg.type) === JSON.stringify(type) ? arg : castTo(arg, type)
  })
  const nullable = overload.nullable || (!overload.seesNull && cast.some((arg) => arg.nullable))
  return { kind: 'call', overload, args: cast, type: overload.type, nullable, span: { start: 1, end: 2 } }
}

export function call(name: string, ...args: BoundExpr[]): BoundExpr {
  const found = tryCall(name, args)
  if (found === undefined) throw new Error(`${name} does not accept its arguments`)
  return found
}

export const aggregateOf = (name: string, args: readonly BoundExpr[]) =>
  aggregateFunctions.get(name)?.resolve(args.map(argumentOf))
