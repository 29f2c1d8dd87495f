import { closeSync, fdatasyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { type Checksum, encodeFrame } from '../../log/frame.ts'
import { LOG_FORM, type PlacedRecord } from '../../log/segment.ts'
import { EMPTY, entrySlices, GROUP, type StoredEntry } from './entry-codec.ts'

export interface RewrittenSegment {
  readonly bytes: number
  /** Where the blocks lie that are left. */
  readonly blocks: readonly {
    readonly streamId: string
    readonly position: bigint
    readonly offset: number
    readonly inner: number
  }[]
  /** Puts the new file in the place of the old one. */
  publish(): void
}

/**
 * A copy of a segment without the frames that nobody needs. It has as many records, so that the log's sequences stay:
 * one of which nothing is left is empty. What is no frame stays, but for answers that have expired.
 */
export async function rewriteSegment(
  path: string,
  records: Iterable<PlacedRecord>,
  form: {
    readonly checksum: Checksum
    readonly isNeeded: (streamId: string, last: bigint) => boolean
    readonly now: number
  },
): Promise<RewrittenSegment> {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const header = headerOf(path)
  const file = openSync(temporary, 'wx', 0o600)
  const blocks: RewrittenSegment['blocks'][number][] = []
  let bytes = 0
  const write = (part: Uint8Array): void => {
    for (let at = 0; at < part.length; ) at += writeSync(file, part, at, part.length - at)
    bytes += part.length
  }
  const keeps = (entry: StoredEntry): boolean => {
    if (entry.kind === 'frames') {
      const { streamId, firstPosition, count } = entry.head
      return form.isNeeded(streamId, firstPosition + BigInt(count) - 1n)
    }
    return entry.kind !== 'idempotency' || entry.entry.expiresAt > form.now
  }
  try {
    write(header)
    for (const { payload } of records) {
      const kept = [...entrySlices(payload)].filter(({ entry }) => keeps(entry))
      let inner = 0
      for (const slice of kept) {
        if (slice.entry.kind === 'frames') {
          const { streamId, firstPosition: position } = slice.entry.head
          blocks.push({ streamId, position, offset: bytes, inner: inner + slice.inner })
        }
        inner += slice.bytes.length
      }
      const body = Buffer.concat(kept.map((slice) => slice.bytes))
      write(encodeFrame(kept.length === 0 ? EMPTY : GROUP, body, form.checksum))
      await setImmediate()
    }
    fdatasyncSync(file)
  } finally {
    closeSync(file)
  }
  return { bytes, blocks, publish: () => renameSync(temporary, path) }
}

function headerOf(path: string): Uint8Array {
  const header = Buffer.alloc(LOG_FORM.headerBytes)
  const file = openSync(path, 'r')
  try {
    readSync(file, header, 0, header.length, 0)
    return header
  } finally {
    closeSync(file)
  }
}
