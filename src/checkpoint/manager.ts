import type { Clock } from '../core/clock.ts'
import { systemClock } from '../core/clock.ts'
import type { SequenceCounter, WatermarkCell } from '../core/counters.ts'
import type { Logger } from '../core/logger.ts'
import type { MetricsRegistry } from '../core/metrics-registry.ts'
import type { SourceJournal } from '../core/source-journal.ts'
import { schemeOf } from '../core/uri.ts'
import type { LogFiles } from '../log/log-files.ts'
import { ChangeLog } from './change-log.ts'
import type { StreamChangelogBuffer } from './change-ring.ts'
import { StreamCheckpointConfig } from './config.ts'
import { encodeCheckpoint } from './encode.ts'
import { CheckpointError } from './error.ts'
import { FileStore } from './file-store.ts'
import { IntervalTimer } from './interval-timer.ts'
import { CheckpointRegistry, type SourceForm } from './registry.ts'
import { CheckpointReport } from './report.ts'
import type { CheckpointStore } from './store.ts'
import { StreamCheckpoint, type StreamCheckpointParts } from './stream-checkpoint.ts'

export interface ManagerDeps {
  readonly clock?: Clock | undefined
  /** In place of the one that the configuration names. */
  readonly store?: CheckpointStore | undefined
  readonly onFailure?: ((error: CheckpointError) => void) | undefined
  /** Told of what goes wrong; nothing is logged without one. */
  readonly logger?: Logger | undefined
  readonly metrics?: MetricsRegistry | undefined
  /** Those of the write-ahead log. */
  readonly files?: LogFiles | undefined
}

/** An id and an epoch that are taken; `complete` or `abort` ends it. */
export interface PendingCheckpoint {
  readonly id: bigint
  readonly epoch: bigint
}

type Parts = Omit<StreamCheckpointParts, 'id' | 'epoch' | 'createdAt'>

interface Held {
  readonly checkpoint: StreamCheckpoint
  /** Resolves when it is durable; at once without a store. */
  readonly stored: Promise<void>
  durable: boolean
}

/**
 * Takes, keeps and brings back snapshots of what is registered: counters of sources, positions of sinks, states of
 * operators (checkpoints.md §5). Ids start at 1, epochs at 0; neither is ever used twice, also after a failure.
 */
export class StreamCheckpointManager implements AsyncDisposable {
  readonly #config: StreamCheckpointConfig
  readonly #clock: Clock
  readonly #store: CheckpointStore | undefined
  readonly #report: CheckpointReport
  readonly #registry = new CheckpointRegistry()
  readonly #changes: ChangeLog
  readonly #reason: CheckpointError | undefined
  readonly #held = new Map<bigint, Held>()
  #epoch = 0n
  #nextId = 1n
  #incarnation = 0n
  /** The highest id that is known to be stored. */
  #after = 0n
  #persisting: Promise<unknown> = Promise.resolve()
  #timer: IntervalTimer | undefined
  /** An invalid configuration makes a manager that is off; `disabledReason()` says why. */
  constructor(config: StreamCheckpointConfig = new StreamCheckpointConfig(), deps: ManagerDeps = {}) {
    this.#config = config
    this.#clock = deps.clock ?? systemClock
    this.#report = new CheckpointReport(deps)
    this.#reason = config === OFF ? new CheckpointError('Disabled') : invalidity(config)
    this.#store = this.#reason === undefined ? (deps.store ?? storeOf(config)) : undefined
    const onFailure = (error: CheckpointError): void => this.#report.failed(error, 'wal')
    const effective = this.#reason === undefined ? config : OFF
    this.#changes = new ChangeLog(effective, this.#registry, { clock: this.#clock, files: deps.files, onFailure })
    // In memory there is nothing to open.
    if (this.isEnabled() && this.#store === undefined && config.dataDir === null) this.#startTimer()
  }

  /** Never captures; holds no timer, file or store. */
  static disabled(_config?: StreamCheckpointConfig): StreamCheckpointManager {
    return new StreamCheckpointManager(OFF)
  }

  /** Persists, and flushes of an async log, that failed. */
  get failures(): number {
    return this.#report.failures
  }

  isEnabled(): boolean {
    return this.#reason === undefined
  }

  disabledReason(): CheckpointError | undefined {
    return this.#reason
  }

  /** Epoch of the last checkpoint that was begun. */
  epoch(): bigint {
    return this.#epoch
  }

  lastCheckpointId(): bigint | undefined {
    return this.#newest()?.checkpoint.id
  }

  /**
   * Loads the newest usable snapshot, repairs the write-ahead log and raises the sources that are registered already to
   * where it says, and starts the interval timer. `claim`: stores the snapshot again under the next id, so that whoever
   * had it before is fenced.
   */
  async open({ claim = false }: { readonly claim?: boolean } = {}): Promise<void> {
    if (!this.isEnabled()) return
    if (this.#store !== undefined) {
      await this.#load()
      if (claim) await this.#claim()
    }
    this.#changes.replay(this.#newest(true)?.checkpoint.id)
    this.#report.repaired(this.repairedWalBytes)
    this.#startTimer()
  }

  #startTimer(): void {
    const { intervalMs } = this.#config
    if (intervalMs === null) return
    const tick = async (): Promise<void> => {
      await this.checkpoint().catch(() => undefined)
    }
    this.#timer ??= new IntervalTimer(this.#clock, intervalMs, tick, (steps) => this.#report.skipped(steps))
  }

  /** Keeps references to the live counters; returns the compact id of the source. */
  registerSource(name: string, sequence: SequenceCounter, watermark: WatermarkCell, form?: SourceForm): number {
    return this.#registry.source(name, sequence, watermark, form)
  }

  /** What a registered source tells its pushes to; a manager that is off takes no note. */
  journal(name: string): SourceJournal {
    return this.isEnabled() ? this.#changes.journal(name) : SILENT
  }

  /** `position`: records that the sink has accepted since the pipeline was created. */
  registerSink(name: string, position: bigint): void {
    this.#registry.sink(name, position)
  }

  updateSink(name: string, position: bigint): void {
    this.#registry.sink(name, position)
  }

  /** `snapshot` runs inside the capture, `restore` in `applyRestore`. */
  registerOperator(name: string, snapshot: () => Uint8Array, restore: (bytes: Uint8Array) => void): void {
    this.#registry.operator(name, snapshot, restore)
  }

  /** Captures everything now and begins to store it; undefined when the manager is off. */
  trigger(): bigint | undefined {
    if (!this.isEnabled()) return undefined
    return this.#take(this.begin(), this.#registry.capture()).checkpoint.id
  }

  /** `trigger`, then waits until the snapshot is durable. */
  async checkpoint(): Promise<bigint> {
    this.#refuseDisabled()
    const held = this.#take(this.begin(), this.#registry.capture())
    await this.#within(held.stored)
    return held.checkpoint.id
  }

  /** Allots an id and an epoch; they are used up whatever comes of it. */
  begin(): PendingCheckpoint {
    this.#refuseDisabled()
    const pending = { id: this.#nextId++, epoch: ++this.#epoch }
    this.#changes.begin(pending.id, pending.epoch)
    return pending
  }

  /** The snapshot of a pending checkpoint from collected states; resolves when it is durable. */
  async complete(pending: PendingCheckpoint, parts: Parts): Promise<void> {
    this.#refuseDisabled()
    await this.#within(this.#take(pending, parts).stored)
  }

  /** Nothing was stored of it: only its id and epoch are gone. */
  abort(_pending: PendingCheckpoint, _reason: unknown): void {
    this.#refuseDisabled()
  }

  /** The newest durable snapshot (the newest of all without a store), or that of the id. */
  restore(id?: bigint): StreamCheckpoint {
    this.#refuseDisabled()
    const held = id === undefined ? this.#newest(true) : this.#held.get(id)
    if (held === undefined) throw new CheckpointError('NoCheckpoint')
    return held.checkpoint
  }

  /** Puts all that is registered where a snapshot has it, and pushed sources to where the log says they came since. */
  applyRestore(id?: bigint, { allowUnused = false }: { readonly allowUnused?: boolean } = {}): void {
    const checkpoint = this.restore(id)
    this.#registry.apply(checkpoint, allowUnused)
    this.#changes.replay(checkpoint.id)
  }

  getCheckpoint(id: bigint): StreamCheckpoint | undefined {
    return this.#held.get(id)?.checkpoint
  }

  /** Removes the oldest beyond `keep`, never the latest; returns their ids. */
  async prune(keep: number | null = this.#config.maxRetained): Promise<bigint[]> {
    this.#refuseDisabled()
    const removed = this.#forgetOldest(keep)
    for (const id of removed) await this.#store?.delete(id)
    this.#trimLog()
    return removed
  }

  /** The change ring; undefined when the configuration has none. */
  changelog(): StreamChangelogBuffer | undefined {
    return this.#changes.ring
  }

  /** Notes in the write-ahead log that all sinks have committed the epoch of a checkpoint. */
  markCommitted(id: bigint): void {
    if (this.isEnabled()) this.#changes.wal()?.committed(id)
  }

  /** Bytes of a torn tail that were cut off the write-ahead log. */
  get repairedWalBytes(): number {
    return this.#changes.wal()?.repairedBytes ?? 0
  }

  /** Resolves when the snapshot of the id (the newest) is durable. */
  async persist(id?: bigint): Promise<void> {
    this.#refuseDisabled()
    this.#refuseVolatile()
    const held = id === undefined ? this.#newest() : this.#held.get(id)
    if (held === undefined) throw new CheckpointError('NoCheckpoint')
    await this.#within(held.stored)
  }

  /** Reads the newest usable snapshot of the store. */
  async load(): Promise<StreamCheckpoint> {
    this.#refuseDisabled()
    this.#refuseVolatile()
    await this.#load()
    return this.restore()
  }

  /** Resolves when all changes so far are on disk. */
  async syncWal(): Promise<void> {
    this.#refuseWal()
    await this.#changes.flush()
  }

  /** Raises the registered pushed sources to where the log says they came since the newest snapshot. */
  async replayWal(): Promise<void> {
    this.#refuseWal()
    this.#changes.replay(this.#newest(true)?.checkpoint.id)
  }

  /** Stops the timer, flushes the log and waits for a running persist. */
  async close(): Promise<void> {
    await this.#timer?.close()
    this.#timer = undefined
    await this.#within(this.#persisting.then(() => this.#changes.close()))
    await this.#store?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #take(pending: PendingCheckpoint, parts: Parts): Held {
    const createdAt = BigInt(Math.floor(this.#clock.nowMicros() / 1000))
    const checkpoint = new StreamCheckpoint({ ...parts, ...pending, createdAt })
    // Refuses values without an encoding before anything is kept.
    const body = encodeCheckpoint(checkpoint)
    const { maxCheckpointBytes: most } = this.#config
    if (most !== null && body.byteLength > most) {
      throw new CheckpointError('IoError', `the checkpoint has ${body.byteLength} bytes, more than ${most}`, {
        like: 'connector_capacity',
        hint: 'raise max_checkpoint_bytes',
      })
    }
    this.#report.sized(body.byteLength, most)
    const store = this.#store
    const stored = this.#persisting.then(() =>
      store === undefined ? this.#changes.flush() : this.#persist(pending, store),
    )
    this.#persisting = stored.catch(() => undefined)
    const held: Held = { checkpoint, stored, durable: store === undefined }
    this.#held.set(pending.id, held)
    if (store === undefined) this.#forgetOldest(this.#config.maxRetained)
    return held
  }

  async #persist({ id }: PendingCheckpoint, store: CheckpointStore): Promise<void> {
    const held = this.#held.get(id)!
    const owner = { incarnation: this.#incarnation, after: this.#after }
    try {
      // What the snapshot's mark divides is on disk before the snapshot is.
      await this.#changes.flush()
      await store.create(id, encodeCheckpoint(held.checkpoint), owner)
      this.#after = id
      await store.setLatest(id, { ...owner, after: id })
      held.durable = true
      this.#report.stored()
    } catch (error) {
      this.#held.delete(id)
      this.#report.failed(error as CheckpointError, 'persist')
      throw error
    }
    for (const old of this.#forgetOldest(this.#config.maxRetained)) await store.delete(old)
    this.#trimLog()
  }

  /** Nothing before the oldest snapshot that is kept is replayed any more. */
  #trimLog(): void {
    const kept = [...this.#held.values()].filter(({ durable }) => durable).map(({ checkpoint }) => checkpoint.id)
    const oldest = kept.reduce<bigint | undefined>((low, id) => (low === undefined || id < low ? id : low), undefined)
    if (oldest !== undefined) this.#changes.wal()?.trim(oldest)
  }

  #forgetOldest(keep: number | null): bigint[] {
    if (keep === null) return []
    const ids = [...this.#held.keys()].sort((a, b) => (a < b ? -1 : 1))
    const removed = ids.slice(0, Math.max(0, ids.length - Math.max(1, keep)))
    for (const id of removed) this.#held.delete(id)
    return removed
  }

  async #load(): Promise<void> {
    const store = this.#store!
    const entries = (await store.list()).reverse()
    const faults: string[] = []
    for (const { id, snapshot } of entries) {
      const bytes = snapshot ? await store.get(id) : undefined
      if (bytes === undefined) continue
      try {
        const checkpoint = StreamCheckpoint.fromBytes(bytes, `checkpoint ${id}`)
        if (checkpoint.id !== id) throw new CheckpointError('IoError', `it holds checkpoint ${checkpoint.id}`)
        this.#held.set(id, { checkpoint, stored: Promise.resolve(), durable: true })
        if (checkpoint.epoch > this.#epoch) this.#epoch = checkpoint.epoch
        break
      } catch (error) {
        faults.push(`${id}: ${(error as CheckpointError).detail ?? String(error)}`)
      }
    }
    const highest = entries[0]?.id ?? 0n
    if (faults.length > 0 && this.#held.size === 0) {
      throw new CheckpointError('IoError', `no usable checkpoint in ${store.uri} (${faults.join('; ')})`, {
        like: 'connector_data_corrupt',
      })
    }
    if (highest >= this.#nextId) this.#nextId = highest + 1n
    if (highest > this.#after) this.#after = highest
  }

  async #claim(): Promise<void> {
    const newest = this.#newest()
    this.#incarnation += 1n
    const id = this.#nextId++
    const base = newest?.checkpoint ?? new StreamCheckpoint({ id, epoch: 0n, createdAt: 0n })
    const checkpoint = new StreamCheckpoint({ ...base, id })
    this.#held.set(id, { checkpoint, stored: Promise.resolve(), durable: true })
    await this.#persist({ id, epoch: base.epoch }, this.#store!)
  }

  #newest(durable = false): Held | undefined {
    let newest: Held | undefined
    for (const held of this.#held.values()) {
      if ((!durable || held.durable) && (newest === undefined || held.checkpoint.id > newest.checkpoint.id))
        newest = held
    }
    return newest
  }

  async #within(task: Promise<void>): Promise<void> {
    const done = new AbortController()
    const late = this.#clock.sleep(this.#config.persistTimeoutMs, done.signal).then(() => {
      if (!done.signal.aborted) throw new CheckpointError('Timeout')
    })
    try {
      await Promise.race([task, late])
    } finally {
      done.abort()
      await late.catch(() => undefined)
    }
  }

  #refuseDisabled(): void {
    if (!this.isEnabled()) throw new CheckpointError('Disabled')
  }

  #refuseVolatile(): void {
    if (this.#store?.persistent !== true) throw new CheckpointError('DataDirRequired')
  }

  #refuseWal(): void {
    if (!this.isEnabled()) throw new CheckpointError('WalRequiresCheckpoint')
    if (this.#config.dataDir === null) throw new CheckpointError('DataDirRequired')
  }
}

const SILENT: SourceJournal = { pushed: () => undefined, advanced: () => undefined }

const OFF = new StreamCheckpointConfig()

function invalidity(config: StreamCheckpointConfig): CheckpointError | undefined {
  try {
    config.validate()
    return undefined
  } catch (error) {
    return error as CheckpointError
  }
}

/** None: snapshots are held in memory only. */
function storeOf({ storage, dataDir }: StreamCheckpointConfig): CheckpointStore | undefined {
  if (storage === null) return dataDir === null ? undefined : new FileStore(dataDir)
  const scheme = schemeOf(storage)
  if (scheme === 'memory') return undefined
  return new FileStore(scheme === 'file' ? new URL(storage).pathname : storage)
}
