import { unreachable } from './errors.ts'

/** A SQL type (sql.md §2). Plain data: compare with `sameType`, print with `typeName`. */
export type DataType =
  | { readonly kind: 'boolean' | 'smallint' | 'int' | 'bigint' | 'double' | 'bytes' | 'json' }
  | { readonly kind: 'date' | 'timestamp' | 'timestamptz' | 'interval' }
  /** The type of a bare NULL; it widens to every other type. */
  | { readonly kind: 'null' }
  /** 1 ≤ precision ≤ 38, 0 ≤ scale ≤ precision. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  /** `length` limits code points; absent means any length. */
  | { readonly kind: 'string'; readonly length?: number | undefined }
  | { readonly kind: 'array'; readonly element: DataType }
  | { readonly kind: 'map'; readonly key: DataType; readonly value: DataType }
  | { readonly kind: 'struct'; readonly fields: readonly Field[] }

export type TypeKind = DataType['kind']

export interface Field {
  /** The spelling it was declared with. */
  readonly name: string
  readonly type: DataType
  readonly nullable: boolean
}

/** The columns of a batch, in order. Names may repeat only inside a query, never where a schema is stored. */
export interface Schema {
  readonly fields: readonly Field[]
}

export const types = {
  boolean: { kind: 'boolean' },
  smallint: { kind: 'smallint' },
  int: { kind: 'int' },
  bigint: { kind: 'bigint' },
  double: { kind: 'double' },
  string: { kind: 'string' },
  bytes: { kind: 'bytes' },
  json: { kind: 'json' },
  date: { kind: 'date' },
  timestamp: { kind: 'timestamp' },
  timestamptz: { kind: 'timestamptz' },
  interval: { kind: 'interval' },
  null: { kind: 'null' },
} as const satisfies Record<string, DataType>

export const decimal = (precision: number, scale: number): DataType => ({ kind: 'decimal', precision, scale })
export const array = (element: DataType): DataType => ({ kind: 'array', element })
export const map = (key: DataType, value: DataType): DataType => ({ kind: 'map', key, value })
export const struct = (fields: readonly Field[]): DataType => ({ kind: 'struct', fields })
export const field = (name: string, type: DataType, nullable = true): Field => ({ name, type, nullable })
export const schema = (fields: readonly Field[]): Schema => ({ fields })

/** Same type whatever the nullability of nested fields; names of struct fields count. */
export function sameType(a: DataType, b: DataType): boolean {
  if (a.kind !== b.kind) return false
  switch (a.kind) {
    case 'decimal':
      return b.kind === 'decimal' && a.precision === b.precision && a.scale === b.scale
    case 'string':
      return b.kind === 'string' && a.length === b.length
    case 'array':
      return b.kind === 'array' && sameType(a.element, b.element)
    case 'map':
      return b.kind === 'map' && sameType(a.key, b.key) && sameType(a.value, b.value)
    case 'struct':
      return (
        b.kind === 'struct' &&
        a.fields.length === b.fields.length &&
        a.fields.every((f, i) => f.name === b.fields[i]!.name && sameType(f.type, b.fields[i]!.type))
      )
    default:
      return true
  }
}

/** The SQL spelling: `DECIMAL(10,2)`, `ARRAY<BIGINT>`, `STRUCT<a INT, b STRING>`. */
export function typeName(type: DataType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'string':
      return type.length === undefined ? 'STRING' : `VARCHAR(${type.length})`
    case 'array':
      return `ARRAY<${typeName(type.element)}>`
    case 'map':
      return `MAP<${typeName(type.key)}, ${typeName(type.value)}>`
    case 'struct':
      return `STRUCT<${type.fields.map((f) => `${f.name} ${typeName(f.type)}`).join(', ')}>`
    case 'timestamptz':
      return 'TIMESTAMP WITH TIME ZONE'
    case 'boolean':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'double':
    case 'bytes':
    case 'json':
    case 'date':
    case 'timestamp':
    case 'interval':
    case 'null':
      return type.kind.toUpperCase()
    default:
      return unreachable(type)
  }
}
