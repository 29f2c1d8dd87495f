import type { Offset } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'

/** What of a chain has been given out as rows: all of the batches up to one, and of this the first `rows`. */
export interface Position {
  readonly number: bigint
  readonly hash: string
  /** Rows that were given out since the beginning, withdrawals included: the ordinal of the next. */
  readonly ordinal: number
  /** Rows of the last batch that stand; undefined: all. */
  readonly rows: number | undefined
}

/** Before the first batch. */
const START = 'b1:start'

/** `b1:<number>:<hash>[:<ordinal>[:<rows>]]`. */
export function offsetOf(position: Position | undefined): Offset {
  if (position === undefined) return START
  const { number, hash, ordinal, rows } = position
  return `b1:${number}:${hash}:${ordinal}${rows === undefined ? '' : `:${rows}`}`
}

export function positionOf(offset: Offset): Position | undefined {
  if (offset === START) return undefined
  const match = /^b1:(\d{1,78}):(0x[0-9a-f]{64})(?::(\d{1,15})(?::(\d{1,9}))?)?$/.exec(offset)
  if (match === null) {
    throw new HeadraceError('connector_offset_invalid', `"${offset.slice(0, 200)}" is not a position in a chain`)
  }
  const [, number, hash, ordinal = '0', rows] = match
  return {
    number: BigInt(number!),
    hash: hash!,
    ordinal: Number(ordinal),
    rows: rows === undefined ? undefined : Number(rows),
  }
}
