import type { Batch } from './batch.ts'

/** What travels on every edge. */
export type Element =
  | { readonly kind: 'batch'; readonly batch: Batch }
  /** No later row on this edge has an event time below `micros`, except late rows. Infinity at the end. */
  | { readonly kind: 'watermark'; readonly micros: number }
  /** Snapshot your state now; `epoch` grows by one each time. */
  | { readonly kind: 'barrier'; readonly epoch: bigint }
  | { readonly kind: 'end' }
