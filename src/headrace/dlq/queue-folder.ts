import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Checksum, LogRecord } from '../../log/frame.ts'
import { type LogPlace, readLog, readRecordAt } from '../../log/read-log.ts'
import { decodeEntry } from './records.ts'

/** `<data_dir>/dlq/<pipeline>`. */
export const queueFolder = (dataDir: string, pipeline: string): string =>
  join(dataDir, 'dlq', encodeURIComponent(pipeline))

/** Pipelines that have a queue, in order. */
export function queuesOf(dataDir: string): readonly string[] {
  const root = join(dataDir, 'dlq')
  if (!existsSync(root)) return []
  return readdirSync(root).map(decodeURIComponent).sort()
}

/** A log of the queue: `<number>-<label>`. Each run and each command that changes something writes one of its own. */
export interface Writer {
  readonly name: string
  readonly number: number
  readonly directory: string
}

const WRITER = /^(\d{8})-([\w-]+)$/

/** Of the run of a lineage and incarnation: no other run can write to it. */
export const runLabel = (lineage: string, incarnation: bigint): string => `${lineage}-${incarnation}`

/** Of the run that wrote a log; what a command wrote has none. */
export const lineageOf = ({ name }: Writer): string => name.slice(9).split('-')[0]!

export const COMMAND_LABEL = 'command'

/** In the order in which they began. */
export function writersOf(directory: string): readonly Writer[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => WRITER.test(name))
    .sort()
    .map((name) => ({ name, number: Number(name.slice(0, 8)), directory: join(directory, name) }))
}

/** The folder of a new writer, behind all others. */
export function newWriter(directory: string, label: string): Writer {
  const last = writersOf(directory).at(-1)?.number ?? 0
  const name = `${String(last + 1).padStart(8, '0')}-${label}`
  const writer = { name, number: last + 1, directory: join(directory, name) }
  mkdirSync(writer.directory, { recursive: true })
  return writer
}

export const isCommand = ({ name }: Writer): boolean => name.slice(9).startsWith(COMMAND_LABEL)

/** Tells whether others than `own` have written since. */
export function signatureOf(directory: string, own: string | undefined): string {
  return writersOf(directory)
    .filter(({ name }) => name !== own)
    .map((writer) => `${writer.name}:${bytesOf(writer)}`)
    .join()
}

export function bytesOf({ directory }: Writer): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

/** Every record of a writer that is whole; whether it counts is said by the commits. */
export function* recordsOf(writer: Writer, checksum: Checksum): Iterable<LogRecord & LogPlace> {
  yield* readLog(writer.directory, checksum)
}

/** An entry with its bytes, by its place. */
export function entryAt(writer: Writer, place: LogPlace, checksum: Checksum): ReturnType<typeof decodeEntry> {
  return decodeEntry(readRecordAt(writer.directory, place, checksum).payload)
}
