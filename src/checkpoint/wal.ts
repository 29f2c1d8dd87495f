import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HeadraceError } from '../core/errors.ts'
import { crc32cTwin } from '../kernels/crc32c.ts'
import { AppendLog } from '../log/append-log.ts'
import { type LogFiles, systemFiles } from '../log/log-files.ts'
import type { StreamChangelogEntry } from './change-entry.ts'
import type { StreamChangelogBuffer } from './change-ring.ts'
import { CheckpointError } from './error.ts'
import { WAL_FORM } from './wal-form.ts'
import { decodeWalRecord, encodeBinding, encodeCommit, encodeMark, WAL_KIND, type WalRecord } from './wal-records.ts'

export interface WalOptions {
  /** The folder `wal/` is made in it. */
  readonly dataDir: string
  readonly segmentBytes: number
  /** Holds entries between two flushes; the log empties it, also when it is full. */
  readonly ring: StreamChangelogBuffer
  readonly files?: LogFiles | undefined
}

/** Where a source came to, by the entries of the log. */
export interface Replayed {
  readonly sequence: bigint
  readonly watermark: bigint
}

const checksum = { crc32c: (bytes: Uint8Array): number => crc32cTwin(bytes) }

/**
 * The write-ahead log of pushed sources (checkpoints.md §7) on the framed log: change entries, marks of checkpoints and
 * commits. Opening it repairs the tail of the last segment; damage before that is `IoError` with its place.
 */
export class WriteAheadLog implements AsyncDisposable {
  readonly #log: AppendLog
  readonly #ring: StreamChangelogBuffer
  /** Sources whose name stands in the segment that is written. */
  readonly #bound = new Map<number, string>()
  readonly #names: (sourceId: number) => string
  /** Position of the mark of each checkpoint. */
  readonly #marks = new Map<bigint, bigint>()

  constructor(options: WalOptions, names: (sourceId: number) => string) {
    const { dataDir, segmentBytes, files = systemFiles } = options
    const directory = join(dataDir, 'wal')
    makeDurableFolder(directory, files)
    this.#names = names
    this.#ring = options.ring
    const prelude = () =>
      [...this.#bound].map(([id, name]) => ({ kind: WAL_KIND.binding, payload: encodeBinding(id, name) }))
    this.#log = guarded(() => AppendLog.open({ directory, checksum, segmentBytes, files, form: WAL_FORM, prelude }))
    for (const { record, sequence } of this.#records()) {
      if (record.kind === 'mark') this.#marks.set(record.id, sequence)
    }
  }

  /** Bytes of a torn tail that were cut off at the opening. */
  get repairedBytes(): number {
    return this.#log.repairedBytes
  }

  /** Adds an entry and resolves when it is on disk; entries that come together share one flush. */
  async write(entry: StreamChangelogEntry): Promise<void> {
    this.#drain()
    this.#append([entry])
    await this.flush()
  }

  /** Adds an entry; it is on disk after the next flush. */
  buffer(entry: StreamChangelogEntry): void {
    if (this.#ring.isFull()) this.#drain()
    this.#ring.push(entry)
  }

  /** The capture of a checkpoint: everything behind it is not in the snapshot. */
  mark(id: bigint, epoch: bigint): void {
    this.#drain()
    this.#marks.set(
      id,
      guarded(() => this.#log.append(WAL_KIND.mark, encodeMark(id, epoch))),
    )
  }

  /** All sinks have committed the epoch of the checkpoint. */
  committed(id: bigint): void {
    this.#drain()
    guarded(() => this.#log.append(WAL_KIND.commit, encodeCommit(id)))
  }

  /** Resolves when everything that was added is on disk. */
  async flush(): Promise<void> {
    this.#drain()
    try {
      await this.#log.flush()
    } catch (error) {
      throw walFault(error)
    }
  }

  /** Where every source came to since the mark of a checkpoint (since the beginning, when it has none here). */
  replay(after: bigint | undefined): Map<string, Replayed> {
    const from = after === undefined ? undefined : this.#marks.get(after)
    const names = new Map<number, string>()
    const reached = new Map<string, Replayed>()
    for (const { record, sequence } of this.#records()) {
      if (record.kind === 'binding') names.set(record.sourceId, record.name)
      if (record.kind !== 'entries' || (from !== undefined && sequence < from)) continue
      for (const entry of record.entries) {
        const name = names.get(entry.sourceId)
        if (name === undefined) throw new CheckpointError('IoError', `WAL entry of an unknown source ${entry.sourceId}`)
        const before = reached.get(name)
        reached.set(name, {
          sequence: before === undefined || entry.sequence > before.sequence ? entry.sequence : before.sequence,
          watermark: before === undefined || entry.watermark > before.watermark ? entry.watermark : before.watermark,
        })
      }
    }
    return reached
  }

  /** Removes segments that hold only what lies before the mark of the oldest checkpoint that is kept. */
  trim(oldestKept: bigint): void {
    const mark = this.#marks.get(oldestKept)
    if (mark === undefined) return
    this.#log.trim(mark)
    for (const [id, sequence] of this.#marks) if (sequence < mark) this.#marks.delete(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#drain()
      await this.#log[Symbol.asyncDispose]()
    } catch (error) {
      throw walFault(error)
    }
  }

  /** What waits in the ring goes into the log. */
  #drain(): void {
    if (this.#ring.isEmpty()) return
    const entries: StreamChangelogEntry[] = []
    this.#ring.drainAll(entries)
    this.#append(entries)
  }

  #append(entries: readonly StreamChangelogEntry[]): void {
    guarded(() => {
      for (const { sourceId } of entries) this.#bind(sourceId)
      const payload = Buffer.concat(entries.map((entry) => entry.toBytes()))
      this.#log.append(WAL_KIND.entries, payload)
    })
  }

  #bind(sourceId: number): void {
    if (this.#bound.has(sourceId)) return
    const name = this.#names(sourceId)
    this.#log.append(WAL_KIND.binding, encodeBinding(sourceId, name))
    this.#bound.set(sourceId, name)
  }

  *#records(): Iterable<{ readonly record: WalRecord; readonly sequence: bigint }> {
    try {
      for (const { kind, payload, sequence } of this.#log.read()) {
        const record = decodeWalRecord(kind, payload)
        if (record === undefined)
          throw new CheckpointError('IoError', `WAL corrupt: record ${sequence} does not decode`)
        yield { record, sequence }
      }
    } catch (error) {
      throw walFault(error)
    }
  }
}

function guarded<T>(task: () => T): T {
  try {
    return task()
  } catch (error) {
    throw walFault(error)
  }
}

/** A failure of the log as `IoError`, with the class of its cause. */
function walFault(error: unknown): CheckpointError {
  if (error instanceof CheckpointError) return error
  const { message, code, hint, at } = error as HeadraceError
  const isKnown = error instanceof HeadraceError
  return new CheckpointError('IoError', message, {
    like: isKnown ? code : undefined,
    hint: isKnown ? hint : undefined,
    at: isKnown ? at : undefined,
    cause: error,
  })
}

/** The folder, and the names of all that had to be made for it, on disk. */
function makeDurableFolder(directory: string, files: LogFiles): void {
  guarded(() => {
    const first = mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    for (let made = directory; ; made = dirname(made)) {
      files.syncDirectory(dirname(made))
      if (made === first || dirname(made) === made) return
    }
  })
}
