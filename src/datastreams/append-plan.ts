import type { Uuid7 } from '../core/uuid7.ts'
import { larger } from './bigints.ts'
import type { Entry } from './entries.ts'
import { type Frame, isRepeat, SEQUENCE_MAX } from './frame.ts'
import type { Append, Appended, ProducerMark, WriterMark } from './store.ts'
import type { Stream } from './stream.ts'
import { releasedOf, type StreamEntry } from './tables.ts'
import { type Timeliness, timeliness } from './timeliness.ts'

/** What one commit will do to one stream; nothing of it is stored yet. */
export class StreamPlan<P> {
  readonly entry: StreamEntry<P>
  /** The stream as it was. */
  readonly before: Stream
  readonly frames: Frame[] = []
  readonly #highestBefore: bigint
  readonly #now: number
  readonly #ids: Uuid7
  /** By sequence, for those that a later frame may repeat; made when one does. */
  #bySequence: Map<bigint, Frame> | undefined
  #highest: bigint
  #last: bigint
  #activates = false
  readonly #producers = new Map<string, ProducerMark>()
  readonly #writers = new Map<string, WriterMark>()

  constructor(entry: StreamEntry<P>, now: number, ids: Uuid7) {
    this.entry = entry
    this.before = entry.stream
    this.#now = now
    this.#ids = ids
    this.#highestBefore = this.#highest = entry.shelf.highest
    this.#last = entry.shelf.last
  }

  /** What becomes of the frames of one append. */
  append(append: Append): readonly Appended[] {
    const { frames, atomic, producer, writer } = append
    const refusal = this.#refusalOf(append)
    if (refusal !== undefined) return frames.length === 0 ? [refusal] : frames.map(() => refusal)
    const mark = { count: this.frames.length, highest: this.#highest, last: this.#last }
    let results: Appended[]
    try {
      results = frames.map((frame) => this.#appendOne(frame))
    } catch (error) {
      // A stored frame cannot be read: that is no reason to refuse what others send.
      this.#goBack(mark)
      return frames.map(() => ({ kind: 'failed', error: error as Error }))
    }
    if (atomic && results.some(({ kind }) => kind === 'conflict' || kind === 'refused')) {
      this.#goBack(mark)
      return results.map((result) => (result.kind === 'created' ? { kind: 'withheld' } : result))
    }
    if (this.frames.length > 0 && this.entry.stream.status === 'inactive') this.#activates = true
    if (producer !== undefined) this.#producers.set(producer.id, producer)
    if (writer !== undefined) this.#writers.set(writer.id, writer)
    return results
  }

  #appendOne({ fields, receivedAt }: Append['frames'][number]): Appended {
    const at = timeliness(fields, this.entry.stream, { receivedAt, createdAt: this.#now })
    const { sequence } = fields
    const earlier = sequence === undefined ? undefined : this.#find(sequence)
    if (earlier === undefined) {
      const frame = this.#plan(fields, at, receivedAt)
      return frame === undefined ? { kind: 'refused', code: 'sequence_exhausted' } : { kind: 'created', frame }
    }
    return { kind: isRepeat(earlier, fields, at.observedAt) ? 'duplicate' : 'conflict', frame: earlier }
  }

  #goBack(mark: { readonly count: number; readonly highest: bigint; readonly last: bigint }): void {
    this.frames.length = mark.count
    this.#bySequence = undefined
    this.#highest = mark.highest
    this.#last = mark.last
  }

  /** The entries that do it. */
  *entries(): Iterable<Entry> {
    const { stream } = this.entry
    const streamId = stream.id
    if (this.#activates) {
      const active: Stream = { ...stream, status: 'active', updatedAt: this.#now, version: stream.version + 1 }
      yield { kind: 'stream', stream: active, heldAbove: undefined }
    }
    if (this.frames.length > 0) {
      yield { kind: 'frames', streamId, highestBefore: this.#highestBefore, frames: this.frames }
    }
    for (const producer of this.#producers.values()) yield { kind: 'producer', streamId, producer }
    for (const writer of this.#writers.values()) yield { kind: 'writer', streamId, writer }
  }

  #refusalOf({ producer, writer, frames }: Append): Appended | undefined {
    const code = refusalOf(this.entry.stream)
    const marked = this.#writerRefusal(writer, frames.length === 0) ?? this.#producerRefusal(producer)
    return marked ?? (code === undefined || frames.length === 0 ? undefined : { kind: 'refused', code })
  }

  #producerRefusal(producer: ProducerMark | undefined): Appended | undefined {
    if (producer === undefined) return undefined
    const known = this.#producers.get(producer.id) ?? this.entry.producers.get(producer.id)
    const { epoch, seq: received } = producer
    if (known !== undefined && epoch < known.epoch) return { kind: 'producer_fenced', epoch: known.epoch }
    if (known === undefined || epoch > known.epoch) {
      return received === 0 ? undefined : { kind: 'producer_epoch', epoch, received }
    }
    if (received <= known.seq) return { kind: 'producer_repeat' }
    const expected = known.seq + 1
    return received === expected ? undefined : { kind: 'producer_gap', expected, received }
  }

  /** A claim, and a repeat by a newer incarnation, raise the incarnation alone. */
  #writerRefusal(writer: WriterMark | undefined, claims: boolean): Appended | undefined {
    if (writer === undefined) return undefined
    const { id, incarnation, epoch, chunk } = writer
    const known = this.#writers.get(id) ?? this.entry.writers.get(id)
    if (known !== undefined && incarnation < known.incarnation) {
      return { kind: 'writer_fenced', incarnation: known.incarnation }
    }
    const isNew = known === undefined || epoch > known.epoch || (epoch === known.epoch && chunk > known.chunk)
    if (isNew && !claims) return undefined
    if (known === undefined) this.#writers.set(id, { id, incarnation, epoch: 0n, chunk: 0n })
    else if (incarnation > known.incarnation) this.#writers.set(id, { ...known, incarnation })
    return { kind: 'writer_repeat' }
  }

  #find(sequence: bigint): Frame | undefined {
    // Most frames are beyond all that there are: they need no look-up.
    if (sequence > this.#highest) return undefined
    if (this.frames.length > 0) {
      this.#bySequence ??= new Map(this.frames.map((frame) => [frame.sequence, frame]))
      const planned = this.#bySequence.get(sequence)
      if (planned !== undefined) return planned
    }
    return this.entry.shelf.find(sequence)
  }

  #plan(fields: Append['frames'][number]['fields'], at: Timeliness, receivedAt: number): Frame | undefined {
    const { stream } = this.entry
    const sequence = fields.sequence ?? larger(BigInt(this.#now) * 1_000_000n, this.#highest + 1n)
    if (sequence > SEQUENCE_MAX) return undefined
    const outOfOrder = sequence < this.#highest
    this.#last += 1n
    const frame: Frame = {
      id: this.#ids.next(),
      accountId: stream.accountId,
      streamId: stream.id,
      sequence,
      position: this.#last,
      payload: fields.payload,
      latencyMs: at.latencyMs,
      reportedLatencyMs: at.reportedLatencyMs,
      status: at.status,
      statedStatus: fields.status,
      metadata: fields.metadata,
      observedAt: at.observedAt,
      receivedAt,
      createdAt: this.#now,
      outOfOrder,
      traceparent: fields.traceparent,
    }
    if (!outOfOrder) this.#highest = sequence
    this.frames.push(frame)
    this.#bySequence?.set(sequence, frame)
    return frame
  }
}

/** Why a stream takes no frames now (streams-service.md §1.4). */
export function refusalOf({
  status,
  autoActivate,
  onPaused,
}: Stream): 'stream_paused' | 'stream_not_active' | undefined {
  if (status === 'paused' && onPaused === 'reject') return 'stream_paused'
  return status === 'inactive' && !autoActivate ? 'stream_not_active' : undefined
}

/** What a change of a stream does to the frames that are held back: a pause begins, or ends. */
export function heldAfter<P>(entry: StreamEntry<P>, after: Stream): bigint | undefined {
  return after.status === 'paused' ? releasedOf(entry) : undefined
}
