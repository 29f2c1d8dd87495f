import type { DataType } from '../core/types.ts'
import type { Argument } from './functions.ts'

/** An aggregate with its types chosen; how it accumulates is in `operators/`. */
export interface AggregateOverload {
  /** Canonical upper-case name. */
  readonly name: string
  /** Types the arguments are cast to, one per argument. */
  readonly parameters: readonly DataType[]
  readonly type: DataType
  /** False for COUNT and its kin, which give 0 over no rows. */
  readonly nullable: boolean
}

/** An aggregate of the catalogue. */
export interface AggregateFunction {
  readonly name: string
  readonly aliases: readonly string[]
  readonly signatures: readonly string[]
  readonly summary: string
  readonly examples: readonly { readonly sql: string; readonly result: string }[]
  /** What it does when its input retracts a row (sql.md §11). */
  readonly retract: 'inverse' | 'set' | 'no'
  /** True when the answer depends on the order of the rows unless ORDER BY fixes it (rulings 33). */
  readonly orderSensitive: boolean
  /** How many leading arguments are rows; the others are constants that become `BoundAggregate.parameters`. */
  readonly rowArguments: number
  resolve(args: readonly Argument[]): AggregateOverload | undefined
}
