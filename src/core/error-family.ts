import { type ErrorCode, errorKinds } from './error-kinds.ts'
import { type ErrorExtra, HeadraceError } from './errors.ts'

/** One kind of a family: its code in the catalogue and the message made from its fields. */
export interface FamilyKind<F> {
  readonly code: ErrorCode
  readonly message: (fields: F) => string
  /** Fields that do not belong into the JSON form: what a caller gets back. */
  readonly hidden: readonly string[]
}

/** A kind with fields: `kind<{ reason: string }>('stream_closed', ({ reason }) => …)`. */
export const kind = <F = NoFields>(
  code: ErrorCode,
  message: (fields: F) => string,
  hidden: readonly string[] = [],
): FamilyKind<F> => ({ code, message, hidden })

export type NoFields = Readonly<Record<never, never>>

// biome-ignore lint/suspicious/noExplicitAny: the fields of every kind are its own; `FieldsOf` gives them back.
type Kinds = Readonly<Record<string, FamilyKind<any>>>

type FieldsOf<K> = K extends FamilyKind<infer F> ? F : never

/** An error of a family: `kind` tells which fields it has. */
export type FamilyError<K extends Kinds> = {
  [N in keyof K]: HeadraceError & { readonly kind: N; toJSON(): FamilyJson } & Readonly<FieldsOf<K[N]>>
}[keyof K]

/** `kind`, `code`, `message` and the fields; no cause, no stack. */
export interface FamilyJson {
  readonly kind: string
  readonly code: ErrorCode
  readonly message: string
  readonly [field: string]: unknown
}

/** The class of a family. The fields may be left out of a kind that has none. */
export interface ErrorFamily<K extends Kinds> {
  new <N extends keyof K & string>(
    kind: N,
    ...rest: NoFields extends FieldsOf<K[N]>
      ? [fields?: FieldsOf<K[N]>, extra?: ErrorExtra]
      : [fields: FieldsOf<K[N]>, extra?: ErrorExtra]
  ): Extract<FamilyError<K>, { readonly kind: N }>
  readonly prototype: FamilyError<K>
}

/**
 * One class for all kinds of a family (rulings 55): code, class, status and fix come from the catalogue, message and
 * fields from the kind. `instanceof` and `kind` tell the errors apart.
 */
export function errorFamily<const K extends Kinds>(name: string, kinds: K): ErrorFamily<K> {
  class Family extends HeadraceError {
    declare readonly kind: string
    declare readonly fieldNames: readonly string[]

    constructor(kind: string, fields: Readonly<Record<string, unknown>> = {}, extra: ErrorExtra = {}) {
      const { code, message, hidden } = kinds[kind]!
      super(code, message(fields), { ...extra, hint: extra.hint ?? errorKinds[code].fix })
      this.name = name
      this.kind = kind
      // A field `message` is part of the message already.
      const { message: _, ...own } = fields
      Object.assign(this, own)
      const fieldNames = Object.keys(own).filter((name) => !hidden.includes(name))
      Object.defineProperty(this, 'fieldNames', { value: fieldNames })
    }

    override toJSON(): FamilyJson {
      const { kind, code, message } = this
      const fields = this.fieldNames.map((name) => {
        const value: unknown = this[name as keyof this]
        // JSON has no bigint.
        return [name, typeof value === 'bigint' ? String(value) : value]
      })
      return { kind, code, message, ...Object.fromEntries(fields) }
    }
  }
  Object.defineProperty(Family, 'name', { value: name })
  return Family as unknown as ErrorFamily<K>
}
