import { readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { SegmentFacts } from '../../log/append-log.ts'
import type { Checksum } from '../../log/frame.ts'
import type { Entry } from '../entries.ts'
import { COLUMN_NAMES } from './block-index.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { readEntries, type StoredEntry, writeEntries } from './entry-codec.ts'
import type { IndexedShelf } from './indexed-shelf.ts'

const MAGIC = new TextEncoder().encode('HRIDX01\n')
const HEADER = 16

/** What a start needs to know of the log before its tail. */
export interface SnapshotFacts {
  readonly segments: readonly SegmentFacts[]
  /** State beside the blocks: producers, writers, answers, what the bus has got. */
  readonly entries: readonly Entry[]
  readonly shelves: ReadonlyMap<string, IndexedShelf>
}

export interface LoadedSnapshot {
  readonly segments: readonly SegmentFacts[]
  readonly entries: readonly StoredEntry[]
  /** Puts the blocks of a stream into its shelf. */
  readonly shelves: ReadonlyMap<string, (shelf: IndexedShelf) => void>
}

/** Magic, CRC-32C of what follows (u32), four zeros; segments, entries, then each stream's columns. */
export function encodeSnapshot({ segments, entries, shelves }: SnapshotFacts, checksum: Checksum): Uint8Array {
  const writer = new ByteWriter()
  writer.raw(MAGIC)
  writer.f64(0)
  writer.u32(segments.length)
  for (const { number, firstSequence, records, bytes } of segments) {
    writer.i64(number)
    writer.i64(firstSequence)
    writer.i64(records)
    writer.f64(bytes)
  }
  const length = writer.length
  writer.u32(0)
  writeEntries(writer, entries)
  writer.setU32(length, writer.length - length - 4)
  writer.u32(shelves.size)
  for (const [streamId, shelf] of shelves) writeShelf(writer, streamId, shelf)
  const bytes = writer.bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setUint32(MAGIC.length, checksum.crc32c(bytes.subarray(HEADER)), true)
  return bytes
}

function writeShelf(writer: ByteWriter, streamId: string, shelf: IndexedShelf): void {
  writer.text(streamId)
  const length = writer.length
  writer.u32(0)
  writer.f64(shelf.cutBytes)
  writer.f64(shelf.blocks.bytes)
  for (const name of COLUMN_NAMES) writer.array(shelf.blocks.column(name))
  const late = [...shelf.late.arrays()]
  writer.u32(late.length)
  for (const { sequences, positions } of late) {
    writer.array(sequences)
    writer.array(positions)
  }
  writer.setU32(length, writer.length - length - 4)
}

/** Undefined: there is none, or it is damaged; then the whole log is read. */
export function loadSnapshot(path: string, checksum: Checksum): LoadedSnapshot | undefined {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch {
    return undefined
  }
  if (bytes.length < HEADER || MAGIC.some((byte, i) => bytes[i] !== byte)) return undefined
  const reader = new ByteReader(bytes, MAGIC.length)
  if (reader.u32() !== checksum.crc32c(bytes.subarray(HEADER))) return undefined
  reader.at = reader.base + HEADER
  const segments = Array.from({ length: reader.u32() }, () => ({
    number: reader.i64(),
    firstSequence: reader.i64(),
    records: reader.i64(),
    bytes: reader.f64(),
  }))
  const length = reader.u32()
  const entries = [...readEntries(bytes.subarray(reader.at - reader.base, reader.at - reader.base + length))]
  reader.at += length
  const shelves = new Map<string, (shelf: IndexedShelf) => void>()
  for (let left = reader.u32(); left > 0; left--) {
    const streamId = reader.text()
    const end = reader.u32() + reader.at
    const at = reader.at - reader.base
    shelves.set(streamId, (shelf) => readShelf(new ByteReader(bytes, at), shelf))
    reader.at = end
  }
  return { segments, entries, shelves }
}

function readShelf(reader: ByteReader, shelf: IndexedShelf): void {
  const cutBytes = reader.f64()
  const bytes = reader.f64()
  const columns = COLUMN_NAMES.map(() => reader.array())
  shelf.load(columns, { cutBytes, bytes })
  for (let left = reader.u32(); left > 0; left--) {
    shelf.late.load(new BigInt64Array(reader.array()), new Float64Array(reader.array()))
  }
}

/** Writes it beside the one before; `publish` puts it in its place. */
export async function writeSnapshot(path: string, bytes: Uint8Array): Promise<{ publish(): void; discard(): void }> {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(bytes)
    await file.datasync()
  } finally {
    await file.close()
  }
  return { publish: () => renameSync(temporary, path), discard: () => rmSync(temporary, { force: true }) }
}

/** Every segment that a snapshot names is there and as long as it was, but for the oldest ones, which may have gone. */
export function fitsFiles({ segments }: LoadedSnapshot, sizeOf: (segment: bigint) => number | undefined): boolean {
  const left = segments.slice(segments.findIndex(({ number }) => sizeOf(number) !== undefined))
  return left.every(({ number, bytes }) => (sizeOf(number) ?? -1) >= bytes)
}
