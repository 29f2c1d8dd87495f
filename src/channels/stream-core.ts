import { type Clock, systemClock } from '../core/clock.ts'
import { SequenceCounter, WatermarkCell } from '../core/counters.ts'
import { ItemRing, type Overflow } from '../core/ring.ts'
import type { SourceJournal } from '../core/source-journal.ts'
import { type Schema, sameType, typeName } from '../core/types.ts'
import { oneOf, ringCapacity, wholeNumber } from './capacity.ts'
import { ringErrors, StreamingError } from './errors.ts'
import { type Held, HeldBatch, HeldWatermark, type StreamBatch } from './stream-items.ts'

export interface StreamOptions {
  readonly name?: string | undefined
  /** Items held: clamped to 4 … 1,048,576, rounded up to a power of two. */
  readonly capacity?: number | undefined
  readonly overflow?: Overflow | undefined
  /** 0: no limit. */
  readonly maxSubscribers?: number | undefined
  /** Of the rows; without one, rows of any form are taken. */
  readonly schema?: Schema | undefined
  readonly journal?: SourceJournal | undefined
  readonly clock?: Clock | undefined
}

/** What source and sink of one stream share. */
export class StreamCore<T> {
  readonly name: string
  readonly overflow: Overflow
  readonly maxSubscribers: number
  readonly schema: Schema | undefined
  readonly clock: Clock
  readonly ring: ItemRing<Held<T>>
  readonly sequence = new SequenceCounter()
  readonly watermark = new WatermarkCell()
  readonly subscribers = new Map<number, string>()
  /** Watermarks that were dropped before a subscriber saw them, by the cursor of the subscriber. */
  readonly carried = new WeakMap<object, bigint>()
  journal: SourceJournal | undefined
  eventTimeColumn: string | undefined
  /** Handles that may push. */
  writers = 0

  constructor(options: StreamOptions) {
    const { name = 'stream', capacity = 2048, overflow = 'block', maxSubscribers = 0, clock = systemClock } = options
    this.name = name
    this.overflow = oneOf('overflow', overflow, ['block', 'drop_oldest', 'reject'])
    this.maxSubscribers = wholeNumber('maxSubscribers', maxSubscribers, 0)
    this.schema = options.schema
    this.journal = options.journal
    this.clock = clock
    this.ring = new ItemRing<Held<T>>(ringCapacity(capacity), {
      errors: ringErrors,
      onSkip: (item, cursor) => {
        if (item instanceof HeldWatermark) this.carried.set(cursor, item.micros)
      },
    })
  }

  /** Throws `SchemaMismatch` when rows of `actual` do not belong into the stream. */
  check(actual: Schema | undefined): void {
    const expected = this.schema
    if (expected === undefined || actual === undefined || expected === actual || sameSchema(expected, actual)) return
    throw new StreamingError('SchemaMismatch', { expected: schemaText(expected), actual: schemaText(actual) })
  }

  batch(batch: StreamBatch<T>): HeldBatch<T> {
    this.check(batch.schema)
    return new HeldBatch(batch)
  }
}

const sameSchema = (a: Schema, b: Schema): boolean =>
  a.fields.length === b.fields.length &&
  a.fields.every((field, i) => field.name === b.fields[i]!.name && sameType(field.type, b.fields[i]!.type))

const schemaText = ({ fields }: Schema): string =>
  `(${fields.map(({ name, type }) => `${name} ${typeName(type)}`).join(', ')})`
