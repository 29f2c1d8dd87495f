import type { Account } from './accounts.ts'
import type { ApiKey } from './api-keys.ts'
import type { Entry } from './entries.ts'
import { IdempotencyTable } from './idempotency-table.ts'
import type { FrameShelf } from './shelf.ts'
import type { DeadEntry, ProducerMark, WriterMark } from './store.ts'
import type { Stream } from './stream.ts'

/** A stream and what hangs on it. */
export interface StreamEntry<P> {
  stream: Stream
  /** Frames beyond it are held back; undefined: none is. */
  heldAbove: bigint | undefined
  readonly shelf: FrameShelf<P>
  published: bigint
  readonly producers: Map<string, ProducerMark>
  readonly writers: Map<string, WriterMark>
}

/** Dead entries that are kept: the newest. */
const DEAD_MAX = 10_000
/** Producers and writers of one stream; the one that was silent the longest goes. */
const MARKS_MAX = 10_000

/** What a store holds in memory: the sum of all entries that were applied. */
export class Tables<P> {
  readonly streams = new Map<string, StreamEntry<P>>()
  readonly byAccount = new Map<string, Set<string>>()
  readonly accounts = new Map<string, Account>()
  readonly keys = new Map<string, ApiKey>()
  readonly idempotency: IdempotencyTable
  readonly dead: DeadEntry[] = []
  readonly #newShelf: (stream: Stream) => FrameShelf<P>

  constructor(newShelf: (stream: Stream) => FrameShelf<P>, idempotencyMs: number) {
    this.#newShelf = newShelf
    this.idempotency = new IdempotencyTable(idempotencyMs)
  }

  apply(entry: Entry, place: P): void {
    switch (entry.kind) {
      case 'stream':
        this.#putStream(entry.stream, entry.heldAbove)
        break
      case 'stream_deleted':
        this.#deleteStream(entry.streamId)
        break
      case 'account':
        this.accounts.set(entry.account.id, entry.account)
        break
      case 'key':
        this.keys.set(entry.key.id, entry.key)
        break
      case 'key_deleted':
        this.keys.delete(entry.id)
        break
      case 'idempotency':
        this.idempotency.put(entry.entry)
        break
      case 'dead':
        this.dead.push(entry.entry)
        if (this.dead.length > DEAD_MAX) this.dead.shift()
        break
      default: {
        // What belongs to a stream that was deleted since is nothing.
        const stream = this.streams.get(entry.streamId)
        if (stream !== undefined) applyTo(stream, entry, place)
      }
    }
  }

  #putStream(stream: Stream, heldAbove: bigint | undefined): void {
    const known = this.streams.get(stream.id)
    if (known !== undefined) {
      known.stream = stream
      known.heldAbove = heldAbove
      return
    }
    const shelf = this.#newShelf(stream)
    const entry = { stream, heldAbove, shelf, published: 0n, producers: new Map(), writers: new Map() }
    this.streams.set(stream.id, entry)
    const owned = this.byAccount.get(stream.accountId) ?? new Set()
    this.byAccount.set(stream.accountId, owned.add(stream.id))
  }

  #deleteStream(id: string): void {
    const known = this.streams.get(id)
    if (known === undefined) return
    this.streams.delete(id)
    known.shelf.release()
    this.byAccount.get(known.stream.accountId)!.delete(id)
  }
}

type OfStream = Extract<Entry, { readonly kind: 'frames' | 'published' | 'producer' | 'writer' | 'cut' | 'shelf' }>

function applyTo<P>(stream: StreamEntry<P>, entry: OfStream, place: P): void {
  switch (entry.kind) {
    case 'frames':
      stream.shelf.push(entry, place)
      break
    case 'published':
      if (entry.position > stream.published) stream.published = entry.position
      break
    case 'producer':
      putMark(stream.producers, entry.producer)
      break
    case 'writer':
      putMark(stream.writers, entry.writer)
      break
    case 'cut':
      stream.shelf.cut(entry.position, entry.survivor)
      break
    case 'shelf':
      stream.shelf.restore(entry.state)
  }
}

function putMark<M extends { readonly id: string }>(marks: Map<string, M>, mark: M): void {
  // Behind all others: the first one is then the one that was silent the longest.
  marks.delete(mark.id)
  marks.set(mark.id, mark)
  if (marks.size > MARKS_MAX) marks.delete(marks.keys().next().value!)
}

/** Frames up to it are delivered. */
export const releasedOf = <P>({ heldAbove, shelf }: StreamEntry<P>): bigint => heldAbove ?? shelf.last
