import type { EntryFacts, ErrorDetails } from './entry.ts'
import type { Schedule } from './schedule.ts'

/** Kinds of the records of a queue's logs. */
export const KIND = { meta: 1, entry: 2, change: 3, commit: 4 } as const

/** First record of a log: who writes it. */
export interface WriterMeta {
  readonly format: 1
  readonly pipeline: string
  /** Of the run; absent for commands, whose records count when their commit is there. */
  readonly lineage?: string | undefined
  readonly incarnation?: string | undefined
  readonly limits?: QueueLimits | undefined
  readonly schedule?: Schedule | undefined
}

/** What a queue takes at most. */
export interface QueueLimits {
  readonly max_entries: number
  readonly max_bytes: number
}

/** What became of an entry. `seen`: the writer and record that a command looked at; what came later is not meant. */
export interface Change {
  readonly id: string
  readonly at: string
  readonly to: 'pending' | 'resolved' | 'purged'
  /** `run`: the same failure again; `replay`: it ran again, `schedule`: by itself. */
  readonly by: 'run' | 'replay' | 'schedule' | 'retention' | 'overflow' | 'command'
  readonly error?: ErrorDetails | undefined
  readonly seen?: { readonly writer: string; readonly sequence: string } | undefined
}

/** The records of `writer` before `upTo` belong to epochs that are committed. */
export interface Commit {
  readonly lineage: string
  /** 0 of a command. */
  readonly epoch: string
  readonly writer: string
  readonly upTo: string
}

export const encodeRecord = (value: WriterMeta | Change | Commit): Uint8Array => Buffer.from(JSON.stringify(value))

export const decodeRecord = <T extends WriterMeta | Change | Commit>(payload: Uint8Array): T =>
  JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString()) as T

/** u32 length of the facts (little-endian), the facts as JSON, the bytes of the original. */
export function encodeEntry(facts: EntryFacts, bytes: Uint8Array): Uint8Array {
  const json = Buffer.from(JSON.stringify(facts))
  const payload = Buffer.alloc(4 + json.length + bytes.length)
  payload.writeUInt32LE(json.length, 0)
  payload.set(json, 4)
  payload.set(bytes, 4 + json.length)
  return payload
}

export function decodeEntry(payload: Uint8Array): { readonly facts: EntryFacts; readonly bytes: Uint8Array } {
  const buffer = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  const length = buffer.readUInt32LE(0)
  const facts = JSON.parse(buffer.toString('utf8', 4, 4 + length)) as EntryFacts
  return { facts, bytes: payload.slice(4 + length) }
}
