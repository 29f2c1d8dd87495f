import type { DataType } from '../core/types.ts'
import type { Value } from '../core/values.ts'

/** What the binder knows of an argument. `constant` is set when the argument is a literal (or folded to one). */
export interface Argument {
  readonly type: DataType
  readonly nullable: boolean
  readonly constant?: { readonly value: Value } | undefined
}

/** A function with its argument and result types chosen. */
export interface ScalarOverload {
  /** Canonical upper-case name, or the operator symbol. */
  readonly name: string
  /** Types the arguments are cast to before the call, one per argument given. */
  readonly parameters: readonly DataType[]
  readonly type: DataType
  /** True when a NULL argument does not make the result NULL (marked ∅ in sql.md §11): `call` then sees NULLs. */
  readonly seesNull: boolean
  /** False when the result is never NULL for arguments that are not NULL. */
  readonly nullable: boolean
  /** False: may not be folded, reused or moved. */
  readonly deterministic: boolean
  /** True when a row can fail; such a call is never moved past a filter. */
  readonly fallible: boolean
  /**
   * The reference: values in the form of `Value`, never NULL unless `seesNull`. A row that cannot be answered throws
   * a `RowFailure`.
   */
  readonly call: (...args: Value[]) => Value
  /**
   * The same as a JavaScript expression over operand texts, for the safe lanes only (numbers). Operands are names or
   * parenthesised expressions without side effects; they may be used more than once. Absent: `call` is used.
   */
  readonly inline?: ((code: InlineContext, ...operands: string[]) => string) | undefined
}

/** What inline code may do beside computing a value. */
export interface InlineContext {
  /** A name for a constant of any kind. */
  constant(value: unknown): string
  /** Statement text that leaves the row to the interpreter when `condition` holds (a result outside the safe lane). */
  redoWhen(condition: string): void
  /** Marks the row as failed when `condition` holds. */
  failWhen(condition: string): void
  /** A fresh local variable holding `expression`. */
  local(expression: string): string
}

/** A function of the catalogue: all overloads under one name. */
export interface ScalarFunction {
  readonly name: string
  readonly aliases: readonly string[]
  /** Accepted forms, as the hint of `sql_argument_mismatch` and the reference print them: `ROUND(num [, d])`. */
  readonly signatures: readonly string[]
  /** One line of the reference. */
  readonly summary: string
  /** Examples of sql.md: SQL text and the result as the reference prints it; goldens cover each. */
  readonly examples: readonly { readonly sql: string; readonly result: string }[]
  /** The overload for these arguments; undefined when none accepts them. */
  resolve(args: readonly Argument[]): ScalarOverload | undefined
}

/** Thrown (never an Error: no stack) by `call` when one row cannot be answered. */
export class RowFailure {
  readonly code: RowErrorCode
  readonly detail: string
  /** Where the call stands in the SQL text: set by whoever evaluates the call, not by the call. */
  span: { readonly start: number; readonly end: number } | undefined

  constructor(code: RowErrorCode, detail: string) {
    this.code = code
    this.detail = detail
  }
}

export type RowErrorCode =
  | 'row_division_by_zero'
  | 'row_numeric_overflow'
  | 'row_invalid_cast'
  | 'row_invalid_argument'
  | 'row_null_event_time'
  | 'row_not_null_violated'
  | 'row_check_violated'
