import type { SequenceCounter, WatermarkCell } from '../core/counters.ts'
import { described } from '../core/option-names.ts'
import { DONE, type ItemRing } from '../core/ring.ts'
import type { Schema } from '../core/types.ts'
import { StreamingError } from './errors.ts'
import type { StreamCore } from './stream-core.ts'
import { type Held, HeldWatermark, type StreamBatch } from './stream-items.ts'

interface Waits {
  readonly signal?: AbortSignal | undefined
}

/**
 * The writing end of a stream. A push enters first, then raises the counter, then is noted in the journal, in one step:
 * what reads the counter never sees a record that was refused.
 */
export class StreamSource<T> implements AsyncDisposable {
  readonly #core: StreamCore<T>
  readonly #ring: ItemRing<Held<T>>
  #closed = false

  constructor(core: StreamCore<T>) {
    this.#core = core
    this.#ring = core.ring
    core.writers++
  }

  /**
   * Resolves when the record is in (with a journal: and as durable as that makes it). When the stream is full it waits,
   * takes the place of the oldest item, or rejects with `ChannelFull`, by `overflow`.
   */
  push(value: T, { signal }: Waits = NO_OPTIONS): Promise<void> {
    return this.#push(value, 1, signal)
  }

  /** All rows as one item; the sequence grows by their number. Another schema rejects with `SchemaMismatch`. */
  async pushRows(batch: StreamBatch<T>, { signal }: Waits = NO_OPTIONS): Promise<void> {
    if (!Array.isArray(batch?.rows)) throw noArray('pushRows: rows', batch?.rows)
    await this.#push(this.#core.batch(batch), batch.rows.length, signal)
  }

  /**
   * Undefined when the record is in, else the refused record. Throws `ChannelClosed`. How durable it is, nobody waits
   * for.
   */
  tryPush(value: T): T | undefined {
    this.#refuseClosed()
    if (!this.#makeRoom()) return value
    this.#ring.put(value)
    // A journal that fails tells those who wait for it, and its manager.
    this.#accepted(1)?.catch(() => undefined)
    return undefined
  }

  /** How many were pushed before the first that was refused. */
  pushBatch(values: readonly T[]): number {
    if (!Array.isArray(values)) throw noArray('pushBatch', values)
    let pushed = 0
    for (const value of values) {
      if (this.tryPush(value) !== undefined) break
      pushed++
    }
    return pushed
  }

  /**
   * Tells that no later record has an event time below it. False, and nothing happens, when it does not advance. In a
   * full stream it waits for room without anybody waiting for it; the newest takes the place of those before.
   */
  watermark(micros: bigint | number): boolean {
    this.#refuseClosed()
    const core = this.#core
    const value = exactMicros(micros)
    if (!core.watermark.advance(value)) return false
    const item = new HeldWatermark(value)
    if (this.#makeRoom()) this.#ring.put(item)
    else this.#ring.enqueue(item, (waiting, newer) => (waiting instanceof HeldWatermark ? newer : undefined))
    core.journal?.advanced(core.sequence.value, value)
    return true
  }

  /** −2⁶³ before the first. */
  currentWatermark(): bigint {
    return this.#core.watermark.value
  }

  /** Records pushed since the stream was made. */
  get sequence(): bigint {
    return this.#core.sequence.value
  }

  /** The live counter, for a checkpoint manager. */
  get sequenceCounter(): SequenceCounter {
    return this.#core.sequence
  }

  get watermarkCell(): WatermarkCell {
    return this.#core.watermark
  }

  get eventTimeColumn(): string | undefined {
    return this.#core.eventTimeColumn
  }

  /** Set once; another name afterwards throws `InvalidConfig`. */
  set eventTimeColumn(name: string) {
    const { eventTimeColumn: known, schema } = this.#core
    if (known !== undefined && known !== name) {
      throw new StreamingError('InvalidConfig', { details: `the event time column is "${known}" already` })
    }
    if (schema !== undefined && !schema.fields.some((field) => field.name === name)) {
      throw new StreamingError('InvalidConfig', { details: `there is no column "${name}"` })
    }
    this.#core.eventTimeColumn = name
  }

  /** Items that the slowest subscriber has not taken. */
  get pending(): number {
    return this.#ring.pending
  }

  get capacity(): number {
    return this.#ring.capacity
  }

  get isClosed(): boolean {
    return this.#closed || this.#ring.closed
  }

  get schema(): Schema | undefined {
    return this.#core.schema
  }

  get name(): string {
    return this.#core.name
  }

  /** Another handle of the same stream; counter and watermark are shared. */
  clone(): StreamSource<T> {
    this.#refuseClosed()
    return new StreamSource(this.#core)
  }

  /** The stream ends when its last handle is closed; subscribers get what is held. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      if (--this.#core.writers === 0) this.#ring.close()
    }
    return DONE
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #push(item: Held<T>, records: number, signal: AbortSignal | undefined): Promise<void> {
    const ring = this.#ring
    if (this.#closed || ring.closed) return Promise.reject(new StreamingError('ChannelClosed'))
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (this.#makeRoom()) {
      ring.put(item)
      return this.#accepted(records) ?? DONE
    }
    if (this.#core.overflow === 'block') return ring.wait(item, signal, () => this.#accepted(records))
    return Promise.reject(new StreamingError('ChannelFull', { capacity: ring.capacity, value: item }))
  }

  #makeRoom(): boolean {
    const ring = this.#ring
    if (ring.hasRoom()) return true
    if (this.#core.overflow !== 'drop_oldest') return false
    ring.dropOldest()
    return true
  }

  #accepted(records: number): Promise<void> | undefined {
    const { sequence, journal, watermark } = this.#core
    if (records === 1) sequence.increment()
    else sequence.add(records)
    return journal?.pushed(sequence.value, watermark.value)?.catch(notNoted)
  }

  #refuseClosed(): void {
    if (this.#closed || this.#ring.closed) throw new StreamingError('ChannelClosed')
  }
}

const NO_OPTIONS: Waits = {}

const noArray = (what: string, given: unknown): StreamingError =>
  new StreamingError('InvalidConfig', { details: `${what} must be an array, not ${described(given)}` })

/** The record is in the stream; that it was pushed may be forgotten by a crash. */
function notNoted(cause: unknown): never {
  const details = `the push was not noted: ${cause instanceof Error ? cause.message : String(cause)}`
  throw new StreamingError('Internal', { details }, { cause })
}

function exactMicros(micros: bigint | number): bigint {
  if (typeof micros !== 'bigint' && !Number.isSafeInteger(micros)) {
    throw new RangeError(`a watermark is a whole number of microseconds, not ${String(micros)}`)
  }
  return BigInt(micros)
}
