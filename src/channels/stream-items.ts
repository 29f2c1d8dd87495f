import type { Schema } from '../core/types.ts'

/** Rows that travel together. */
export interface StreamBatch<T> {
  readonly rows: readonly T[]
  /** Must be that of the stream, where both have one. */
  readonly schema?: Schema | undefined
}

/** What a subscriber gets. A watermark promises that no later row has an event time below `micros`. */
export type StreamItem<T> =
  | { readonly kind: 'record'; readonly value: T }
  | { readonly kind: 'batch'; readonly batch: StreamBatch<T> }
  | { readonly kind: 'watermark'; readonly micros: bigint }

/** What a ring of a stream holds: records as they are, so that pushing one allocates nothing. */
export type Held<T> = T | HeldBatch<T> | HeldWatermark

export class HeldBatch<T> {
  readonly batch: StreamBatch<T>

  constructor(batch: StreamBatch<T>) {
    this.batch = batch
  }
}

export class HeldWatermark {
  readonly micros: bigint

  constructor(micros: bigint) {
    this.micros = micros
  }
}
