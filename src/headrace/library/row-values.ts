import { HeadraceError } from '../../core/errors.ts'
import type { DataType, Field, Schema } from '../../core/types.ts'
import { typeName, types } from '../../core/types.ts'
import { type ExactInteger, exact, type Interval, type Value } from '../../core/values.ts'
import { textToValue } from '../../expr/cast/from-text.ts'
import { decimalText } from '../../expr/number-text.ts'
import { dateText, intervalIso } from '../../expr/time/time-text.ts'
import { DataSourceError } from './errors.ts'
import type { Row, RowValue } from './types.ts'

/** A value of the engine as a row of the library has it. */
export function rowValue(value: Value, type: DataType): RowValue {
  if (value === null) return null
  switch (type.kind) {
    case 'bigint':
    case 'timestamp':
    case 'timestamptz':
      return BigInt(value as ExactInteger)
    case 'decimal':
      return decimalText(value as ExactInteger, type.scale)
    case 'date':
      return dateText(value as number)
    case 'interval':
      return intervalIso(value as Interval)
    case 'array':
      return (value as readonly Value[]).map((item) => rowValue(item, type.element))
    case 'map':
      return new Map(
        [...(value as ReadonlyMap<Value, Value>)].map(([key, item]) => [
          rowValue(key, type.key),
          rowValue(item, type.value),
        ]),
      )
    case 'struct':
      return objectOf(type.fields, value as readonly Value[])
    default:
      return value as RowValue
  }
}

export const rowOf = ({ fields }: Schema, values: readonly Value[]): Row => objectOf(fields, values)

/** Types whose values are the same in both forms. */
const SAME: ReadonlySet<DataType['kind']> = new Set([
  'boolean',
  'smallint',
  'int',
  'double',
  'string',
  'json',
  'bytes',
  'null',
])

/** `rowOf` for many rows of the same columns. */
export function rowMaker({ fields }: Schema): (values: readonly Value[]) => Row {
  const columns = fields.map(({ name, type }) => ({ name, type, isSame: SAME.has(type.kind) }))
  return (values) => {
    const row: { [name: string]: RowValue } = {}
    for (let i = 0; i < columns.length; i++) {
      const { name, type, isSame } = columns[i]!
      const value = values[i]!
      // Not by assignment: a column may be called "__proto__".
      if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true })
      else row[name] = isSame ? (value as RowValue) : rowValue(value, type)
    }
    return row
  }
}

const objectOf = (fields: readonly Field[], values: readonly Value[]): { readonly [name: string]: RowValue } =>
  Object.fromEntries(fields.map(({ name, type }, i) => [name, rowValue(values[i]!, type)]))

/** A row in the form of the engine; throws kind `Schema` for what does not fit. */
export function valuesOf(row: Row, { fields }: Schema): Value[] {
  const unknown = Object.keys(row).find((name) => !fields.some((field) => field.name === name))
  if (unknown !== undefined) {
    throw new DataSourceError('Schema', 'connector_schema_mismatch', `the rows have no column "${unknown}"`, {
      hint: `columns: ${fields.map(({ name }) => name).join(', ')}; they are told from the first rows unless a schema is given`,
    })
  }
  return fields.map(({ name, type, nullable }) => {
    const value = engineValue(row[name], type, `column "${name}"`)
    if (value === null && !nullable && type.kind !== types.null.kind) {
      throw new DataSourceError('Schema', 'row_not_null_violated', `column "${name}" gets NULL`)
    }
    return value
  })
}

/** A written value in the form of the engine; throws `connector_schema_mismatch` when it has no such form. */
export function engineValue(value: RowValue | undefined, type: DataType, at: string): Value {
  if (value === null || value === undefined) return null
  const form = written(value, type, at)
  if (form !== undefined) return form
  throw new HeadraceError('connector_schema_mismatch', `${at}: ${shown(value)} is not a ${typeName(type)}`, {
    hint: 'give the columns when the writer is made: { schema: "…" }, or convert the value',
  })
}

function written(value: Exclude<RowValue, null>, type: DataType, at: string): Value | undefined {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : parsed(value, type)
    case 'smallint':
    case 'int':
    case 'bigint':
      return integer(value, type)
    case 'double':
      if (typeof value === 'number') return value
      return typeof value === 'bigint' ? Number(value) : parsed(value, type)
    case 'decimal':
      return parsed(typeof value === 'number' || typeof value === 'bigint' ? String(value) : value, type)
    case 'string':
    case 'json':
      return typeof value === 'string' ? value : undefined
    case 'bytes':
      return value instanceof Uint8Array ? value : undefined
    case 'date':
      return value instanceof Date ? Math.floor(value.getTime() / 86_400_000) : parsed(value, type)
    case 'timestamp':
    case 'timestamptz':
      if (value instanceof Date) return value.getTime() * 1000
      return typeof value === 'bigint' ? exact(value) : parsed(value, type)
    case 'interval':
      return parsed(value, type)
    case 'array':
      return Array.isArray(value) ? value.map((item) => engineValue(item, type.element, at)) : undefined
    case 'map':
      return value instanceof Map
        ? new Map([...value].map(([k, v]) => [engineValue(k, type.key, at), engineValue(v, type.value, at)]))
        : undefined
    case 'struct':
      if (!isPlain(value)) return undefined
      return type.fields.map((field) => engineValue(value[field.name], field.type, `${at}.${field.name}`))
    case 'null':
      return undefined
  }
}

const RANGES: Readonly<Record<string, bigint>> = { smallint: 1n << 15n, int: 1n << 31n, bigint: 1n << 63n }

function integer(value: RowValue, type: DataType): Value | undefined {
  const whole = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
  if (typeof whole !== 'bigint') return parsed(value, type)
  const limit = RANGES[type.kind]!
  return whole >= -limit && whole < limit ? exact(whole) : undefined
}

/** A text, read as CAST reads it. */
function parsed(value: RowValue, type: DataType): Value | undefined {
  if (typeof value !== 'string') return undefined
  try {
    return textToValue(type)(value)
  } catch {
    return undefined
  }
}

const isPlain = (value: RowValue): value is { readonly [name: string]: RowValue } =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Date) &&
  !(value instanceof Map) &&
  !(value instanceof Uint8Array)

const shown = (value: RowValue): string =>
  value instanceof Uint8Array ? `${value.length} bytes` : typeof value === 'object' ? 'an object' : `"${String(value)}"`

/** Columns that rows of both fit. */
export function widerSchema(a: Schema, b: Schema): Schema {
  const found = new Map(a.fields.map((field) => [field.name, field]))
  for (const { name, type } of b.fields) {
    found.set(name, { name, type: wider(found.get(name)?.type, type, name)!, nullable: true })
  }
  return { fields: [...found.values()] }
}

/** Columns of rows that nobody has declared, in the order in which they first appear; all may be NULL. */
export function inferSchema(rows: readonly Row[]): Schema {
  const found = new Map<string, DataType | undefined>()
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      found.set(name, wider(found.get(name), typeOf(value, name), name))
    }
  }
  return { fields: [...found].map(([name, type]) => ({ name, type: type ?? types.null, nullable: true })) }
}

/** Columns that only held NULL are texts. */
export const settledSchema = ({ fields }: Schema): Schema => ({
  fields: fields.map((field) => (field.type.kind === 'null' ? { ...field, type: types.string } : field)),
})

/** Undefined: NULL tells nothing. */
function typeOf(value: RowValue | undefined, at: string): DataType | undefined {
  if (value === null || value === undefined) return undefined
  if (typeof value === 'boolean') return types.boolean
  if (typeof value === 'number') return types.double
  if (typeof value === 'bigint') return types.bigint
  if (typeof value === 'string') return types.string
  if (value instanceof Uint8Array) return types.bytes
  if (value instanceof Date) return types.timestamp
  if (value instanceof Map) {
    const key = common([...value.keys()], at)
    return { kind: 'map', key: key ?? types.string, value: common([...value.values()], at) ?? types.string }
  }
  if (Array.isArray(value)) return { kind: 'array', element: common(value, at) ?? types.string }
  if (isPlain(value)) return { kind: 'struct', fields: inferSchema([value]).fields }
  throw new HeadraceError('connector_schema_mismatch', `column "${at}": a ${typeof value} is no value`)
}

const common = (values: readonly RowValue[], at: string): DataType | undefined =>
  values.reduce<DataType | undefined>((type, value) => wider(type, typeOf(value, at), at), undefined)

/** A type that both fit. */
function wider(a: DataType | undefined, b: DataType | undefined, at: string): DataType | undefined {
  if (a === undefined || b === undefined) return a ?? b
  if (a.kind === 'null' || b.kind === 'null') return a.kind === 'null' ? b : a
  if (a.kind === 'array' && b.kind === 'array') return { kind: 'array', element: wider(a.element, b.element, at)! }
  if (a.kind === 'map' && b.kind === 'map') {
    return { kind: 'map', key: wider(a.key, b.key, at)!, value: wider(a.value, b.value, at)! }
  }
  if (a.kind === 'struct' && b.kind === 'struct') {
    const fields = new Map(a.fields.map((field) => [field.name, field]))
    for (const field of b.fields) {
      const type = wider(fields.get(field.name)?.type, field.type, `${at}.${field.name}`)!
      fields.set(field.name, { ...field, type })
    }
    return { kind: 'struct', fields: [...fields.values()] }
  }
  if (a.kind === b.kind) return a
  if ((a.kind === 'bigint' && b.kind === 'double') || (a.kind === 'double' && b.kind === 'bigint')) return types.double
  throw new HeadraceError('connector_schema_mismatch', `column "${at}" is a ${typeName(a)} and a ${typeName(b)}`, {
    hint: 'give the columns when the writer is made: { schema: "…" }',
  })
}
