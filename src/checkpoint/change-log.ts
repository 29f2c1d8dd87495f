import type { Clock } from '../core/clock.ts'
import type { SourceJournal } from '../core/source-journal.ts'
import type { LogFiles } from '../log/log-files.ts'
import { type ChangeOp, OPS, StreamChangelogEntry } from './change-entry.ts'
import { StreamChangelogBuffer } from './change-ring.ts'
import type { StreamCheckpointConfig } from './config.ts'
import { CheckpointError } from './error.ts'
import { IntervalTimer } from './interval-timer.ts'
import type { CheckpointRegistry } from './registry.ts'
import { WriteAheadLog } from './wal.ts'

/** Entries of the ring of an async log when the configuration has none. */
const RING_ENTRIES = 65_536
/** Of a sync log: watermarks and barriers, which nobody waits for. */
const SYNC_RING_ENTRIES = 1024

/** What feeds on changes of sources: the ring of the configuration, and the write-ahead log. */
export class ChangeLog {
  readonly ring: StreamChangelogBuffer | undefined
  readonly #config: StreamCheckpointConfig
  readonly #registry: CheckpointRegistry
  readonly #deps: {
    readonly clock: Clock
    readonly files: LogFiles | undefined
    readonly onFailure: (error: CheckpointError) => void
  }
  #wal: WriteAheadLog | undefined
  #closed = false
  #ticker: IntervalTimer | undefined

  constructor(
    config: StreamCheckpointConfig,
    registry: CheckpointRegistry,
    deps: {
      readonly clock: Clock
      readonly files: LogFiles | undefined
      readonly onFailure: (error: CheckpointError) => void
    },
  ) {
    const { changelogCapacity, overflowPolicy } = config
    this.#config = config
    this.#registry = registry
    this.#deps = deps
    this.ring = changelogCapacity === null ? undefined : new StreamChangelogBuffer(changelogCapacity, overflowPolicy)
  }

  /** Opens (and repairs) the log, where the configuration has one. */
  wal(): WriteAheadLog | undefined {
    const { walMode, dataDir, walSegmentBytes: segmentBytes, walSyncIntervalMs } = this.#config
    if (this.#wal !== undefined || walMode === null || dataDir === null || this.#closed) return this.#wal
    const { files, clock } = this.#deps
    const ring = walMode === 'async' ? (this.ring ?? new StreamChangelogBuffer(RING_ENTRIES)) : undefined
    this.#wal = new WriteAheadLog(
      { dataDir, segmentBytes, files, ring: ring ?? new StreamChangelogBuffer(SYNC_RING_ENTRIES) },
      (sourceId) => this.#registry.nameOf(sourceId),
    )
    if (walMode === 'async')
      this.#ticker = new IntervalTimer(clock, Math.max(1, walSyncIntervalMs), () => this.#flushed())
    return this.#wal
  }

  /** How a registered source tells of its pushes. */
  journal(name: string): SourceJournal {
    const id = this.#registry.idOf(name)
    if (id === undefined) throw new CheckpointError('InvalidConfig', `source '${name}' is not registered`)
    return {
      pushed: (sequence, watermark) => this.#note(id, 'push', sequence, watermark),
      advanced: (sequence, watermark) => void this.#note(id, 'watermark', sequence, watermark),
    }
  }

  /** A checkpoint begins: one barrier for each source, and its mark. */
  begin(id: bigint, epoch: bigint): void {
    const wal = this.wal()
    if (wal === undefined && this.ring === undefined) return
    for (const { id: sourceId, sequence, watermark } of this.#registry.positions()) {
      void this.#note(sourceId, 'barrier', sequence, watermark)
    }
    wal?.mark(id, epoch)
  }

  async flush(): Promise<void> {
    await this.wal()?.flush()
  }

  /** Raises the registered pushed sources to where the log says they came since a checkpoint. */
  replay(after: bigint | undefined): void {
    const wal = this.wal()
    if (wal !== undefined) this.#registry.raise(wal.replay(after))
  }

  /** Stops the flushes by time, and makes everything durable. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#ticker?.close()
    this.#ticker = undefined
    const wal = this.#wal
    this.#wal = undefined
    await wal?.[Symbol.asyncDispose]()
  }

  #note(sourceId: number, op: ChangeOp, sequence: bigint, watermark: bigint): Promise<void> | undefined {
    const wal = this.wal()
    if (this.#closed && op === 'push' && this.#config.walMode !== null) {
      return Promise.reject(new CheckpointError('IoError', 'the write-ahead log is closed'))
    }
    if (wal === undefined && this.ring === undefined) return undefined
    const entry = StreamChangelogEntry.of(sourceId, OPS.indexOf(op), sequence, watermark)
    const isAsync = this.#config.walMode === 'async'
    // The ring of an async log is emptied by it; any other is for whoever reads `changelog()`.
    if (!isAsync || wal === undefined) this.ring?.push(entry)
    if (wal === undefined) return undefined
    if (op === 'push' && !isAsync) return wal.write(entry)
    wal.buffer(entry)
    return undefined
  }

  async #flushed(): Promise<void> {
    try {
      await this.#wal?.flush()
    } catch (error) {
      this.#deps.onFailure(error as CheckpointError)
    }
  }
}
