import { ENTRY_BYTES, readEntry, type StreamChangelogEntry } from './change-entry.ts'

/** First byte of a record's payload. */
export const WAL_KIND = { entries: 1, mark: 2, binding: 3, commit: 4 } as const

/** What a record says; undefined: it does not decode. Kinds that are not known say nothing. */
export type WalRecord =
  | { readonly kind: 'entries'; readonly entries: readonly StreamChangelogEntry[] }
  | { readonly kind: 'mark'; readonly id: bigint; readonly epoch: bigint }
  | { readonly kind: 'binding'; readonly sourceId: number; readonly name: string }
  | { readonly kind: 'commit'; readonly id: bigint }
  | { readonly kind: 'other' }

const utf8 = new TextDecoder('utf-8', { fatal: true })

export function decodeWalRecord(kind: number, payload: Uint8Array): WalRecord | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  switch (kind) {
    case WAL_KIND.entries: {
      if (payload.length === 0 || payload.length % ENTRY_BYTES !== 0) return undefined
      const count = payload.length / ENTRY_BYTES
      return { kind: 'entries', entries: Array.from({ length: count }, (_, i) => readEntry(view, i * ENTRY_BYTES)) }
    }
    case WAL_KIND.mark:
      if (payload.length !== 16) return undefined
      return { kind: 'mark', id: view.getBigUint64(0, true), epoch: view.getBigUint64(8, true) }
    case WAL_KIND.binding: {
      if (payload.length < 6 || view.getUint32(2, true) !== payload.length - 6) return undefined
      try {
        return { kind: 'binding', sourceId: view.getUint16(0, true), name: utf8.decode(payload.subarray(6)) }
      } catch {
        return undefined
      }
    }
    case WAL_KIND.commit:
      return payload.length === 8 ? { kind: 'commit', id: view.getBigUint64(0, true) } : undefined
    default:
      return { kind: 'other' }
  }
}

export function encodeMark(id: bigint, epoch: bigint): Uint8Array {
  const payload = Buffer.alloc(16)
  payload.writeBigUInt64LE(id, 0)
  payload.writeBigUInt64LE(epoch, 8)
  return payload
}

export function encodeBinding(sourceId: number, name: string): Uint8Array {
  const text = Buffer.from(name)
  const payload = Buffer.alloc(6 + text.length)
  payload.writeUInt16LE(sourceId, 0)
  payload.writeUInt32LE(text.length, 2)
  text.copy(payload, 6)
  return payload
}

export function encodeCommit(id: bigint): Uint8Array {
  const payload = Buffer.alloc(8)
  payload.writeBigUInt64LE(id)
  return payload
}
