import type { Batch } from './batch.ts'
import type { StateBytes } from './state-bytes.ts'

/** What travels on every edge. */
export type Element =
  | { readonly kind: 'batch'; readonly batch: Batch }
  /** No later row on this edge has an event time below `micros`, except late rows. Infinity at the end. */
  | { readonly kind: 'watermark'; readonly micros: number }
  | Barrier
  | { readonly kind: 'end' }

/**
 * The border of an epoch: rows before it belong to `epoch`, rows behind it to the next. It travels every edge, also
 * those that have ended. Whoever keeps state gives it to `keep` when the barrier has come on all its inputs.
 */
export interface Barrier {
  readonly kind: 'barrier'
  /** Grows with every barrier of a pipeline. */
  readonly epoch: bigint
  /** All input was read to its end: no row follows. */
  readonly last: boolean
  /** Takes the state over: it is disposed of when it has been stored. */
  keep(key: string, state: StateBytes & Disposable): void
  /** A sink has begun to prepare the epoch: what it gives is the token of its commit. */
  prepared(part: string, token: Promise<Uint8Array>): void
}
