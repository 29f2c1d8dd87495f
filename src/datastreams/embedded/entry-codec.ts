import type { Entry, FramesEntry, ShelfState } from '../entries.ts'
import type { Frame } from '../frame.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import { type BlockHead, BlockView, readHead, writeBlock } from './frame-codec.ts'

/** Kind of the log's record: a list of entries that are applied together (streams-service.md §9). */
export const GROUP = 9
/** A record whose entries are gone: it keeps the count of its segment. */
export const EMPTY = 10

/** Kinds of entries. Numbers are part of the files: none is used again. */
const KINDS = {
  stream: 1,
  stream_deleted: 2,
  frames: 3,
  published: 4,
  producer: 5,
  idempotency: 6,
  cut: 7,
  account: 8,
  key: 9,
  key_deleted: 10,
  writer: 11,
  dead: 12,
  shelf: 13,
} as const satisfies Record<Entry['kind'], number>

/** An entry as it is read back; frames stay bytes, at `inner` of the record's payload. */
export type StoredEntry =
  | Exclude<Entry, FramesEntry>
  | { readonly kind: 'frames'; readonly head: BlockHead; readonly inner: number }

/** Kind, length and body of each; gives where the bodies begin. */
export function writeEntries(writer: ByteWriter, entries: readonly Entry[]): number[] {
  return entries.map((entry) => {
    writer.u8(KINDS[entry.kind])
    const length = writer.length
    writer.u32(0)
    const body = writer.length
    writeBody(writer, entry)
    writer.setU32(length, writer.length - body)
    return body
  })
}

function writeBody(writer: ByteWriter, entry: Entry): void {
  if (entry.kind === 'frames') writeBlock(writer, entry)
  else if (entry.kind === 'cut') writeCut(writer, entry)
  else if (entry.kind === 'shelf') {
    const { survivor, ...state } = entry.state
    writer.text(JSON.stringify(state, bigintText))
    writeCut(writer, { streamId: entry.streamId, position: entry.state.cutPosition, survivor })
  } else if (entry.kind === 'published') {
    writer.text(entry.streamId)
    writer.i64(entry.position)
  } else writer.rawText(JSON.stringify(entry, bigintText))
}

/** The frame that survives goes as a block of its own. */
function writeCut(
  writer: ByteWriter,
  cut: { readonly streamId: string; readonly position: bigint; readonly survivor: Frame | undefined },
): void {
  const { streamId, position, survivor } = cut
  writer.text(streamId)
  writer.i64(position)
  writer.text(survivor?.accountId ?? '')
  if (survivor !== undefined) writeBlock(writer, { kind: 'frames', streamId, highestBefore: 0n, frames: [survivor] })
}

export function* readEntries(payload: Uint8Array): Iterable<StoredEntry> {
  const reader = new ByteReader(payload)
  const limit = reader.base + payload.length
  while (reader.at < limit) {
    const kind = reader.u8()
    const length = reader.u32()
    const body = reader.at
    yield readBody(reader, kind, body + length)
    reader.at = body + length
  }
}

function readBody(reader: ByteReader, kind: number, end: number): StoredEntry {
  const inner = reader.at - reader.base
  switch (kind) {
    case KINDS.frames:
      return { kind: 'frames', head: readHead(reader), inner }
    case KINDS.published:
      return { kind: 'published', streamId: reader.text(), position: reader.i64() }
    case KINDS.cut:
      return { kind: 'cut', ...readCut(reader, end) }
    case KINDS.shelf: {
      const state = JSON.parse(reader.text(), textBigint) as Omit<ShelfState, 'survivor'>
      const { streamId, survivor } = readCut(reader, end)
      return { kind: 'shelf', streamId, state: { ...state, survivor } }
    }
    default:
      return JSON.parse(reader.textTo(end), textBigint) as Exclude<Entry, FramesEntry>
  }
}

function readCut(
  reader: ByteReader,
  end: number,
): { readonly streamId: string; readonly position: bigint; readonly survivor: Frame | undefined } {
  const streamId = reader.text()
  const position = reader.i64()
  const accountId = reader.text()
  const survivor = reader.at === end ? undefined : new BlockView(reader, accountId).frame(0)
  return { streamId, position, survivor }
}

// JSON has no bigint. What callers put into entries are texts and maps of texts: an array is never theirs.
const bigintText = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? { $bigint: [String(value)] } : value

function textBigint(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$bigint' in value)) return value
  return Array.isArray(value.$bigint) ? BigInt(String(value.$bigint[0])) : value
}

/** The entries of a record as they lie there, to be copied. */
export function* entrySlices(
  payload: Uint8Array,
): Iterable<{ readonly entry: StoredEntry; readonly bytes: Uint8Array; readonly inner: number }> {
  const reader = new ByteReader(payload)
  const limit = reader.base + payload.length
  while (reader.at < limit) {
    const start = reader.at
    const kind = reader.u8()
    const length = reader.u32()
    const inner = reader.at
    const end = inner + length
    yield {
      entry: readBody(reader, kind, end),
      bytes: payload.subarray(start - reader.base, end - reader.base),
      inner: inner - start,
    }
    reader.at = end
  }
}
