/**
 * One option. The spec is the only place where it exists: parsing, types, hints and the reference table follow from
 * it (connectors.md §3).
 */
export interface Option<T> {
  readonly type: OptionType
  /** One sentence. */
  readonly doc: string
  readonly default: T | undefined
  readonly required: boolean
  /** `source`, `sink`, or both when absent. */
  readonly side?: Side | undefined
  readonly aliases: readonly string[]
  /** Inclusive. */
  readonly min?: number | undefined
  readonly max?: number | undefined
  readonly choices?: readonly string[] | undefined
  /** Choices that were added at run time: `registerFormat`. */
  readonly also?: ((value: string) => boolean) | undefined
  /** `off` is a value, too: the option is then absent. */
  readonly off?: true | undefined
  readonly secret: boolean
  /** Specified but not built yet: giving it is `not_implemented`. */
  readonly later: boolean
}

export type Side = 'source' | 'sink'

export type OptionType =
  | 'text'
  | 'int'
  | 'float'
  | 'bool'
  | 'choice'
  /** Milliseconds. */
  | 'dur'
  /** A number of bytes. */
  | 'bytes'
  /** Microseconds since 1970-01-01T00:00:00Z. */
  | 'ts'
  | 'char'
  | 'list'
  | 'map'
  | 'secret'

export type OptionSpec = Readonly<Record<string, Option<unknown>>>
