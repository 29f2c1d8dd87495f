import type { Entry } from '../entries.ts'
import type { StreamEntry, Tables } from '../tables.ts'

/** Everything of the meta log: definitions alone. */
export function* metaEntries<P>(tables: Tables<P>): Iterable<Entry> {
  for (const account of tables.accounts.values()) yield { kind: 'account', account }
  for (const key of tables.keys.values()) yield { kind: 'key', key }
  for (const { stream, heldAbove } of tables.streams.values()) yield { kind: 'stream', stream, heldAbove }
}

/** Everything of the data log that is not frames or answers: segments before it may go. */
export function* dataEntries<P>(tables: Tables<P>): Iterable<Entry> {
  for (const entry of tables.streams.values()) yield* ofStream(entry)
  for (const entry of tables.dead) yield { kind: 'dead', entry }
}

function* ofStream<P>({ stream, shelf, published, producers, writers }: StreamEntry<P>): Iterable<Entry> {
  const streamId = stream.id
  const { last, highest, lowest, cutPosition, lastCreatedAt, survivor } = shelf
  if (last > 0n) {
    yield { kind: 'shelf', streamId, state: { last, highest, lowest, cutPosition, lastCreatedAt, survivor } }
    yield { kind: 'published', streamId, position: published }
  }
  for (const producer of producers.values()) yield { kind: 'producer', streamId, producer }
  for (const writer of writers.values()) yield { kind: 'writer', streamId, writer }
}
