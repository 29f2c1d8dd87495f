import type { CheckpointReason } from '../../checkpoint/meta.ts'
import type { Pending, Snapshots } from '../../checkpoint/snapshots.ts'
import type { LedOffsets, Offset, Sink, SinkReject } from '../../connectors/contract.ts'
import type { Clock } from '../../core/clock.ts'
import { assert, HeadraceError } from '../../core/errors.ts'
import { Random } from '../../core/random.ts'
import { RETRY_DEFAULTS, retry } from '../../core/retry.ts'
import type { StateBytes } from '../../core/state-bytes.ts'
import { encodeName } from '../graph/stage.ts'

/** The acts of a cycle, in their order (delivery.md §3). */
export const phases = ['begin', 'align', 'prepare', 'persist', 'commit', 'mark', 'ack', 'prune'] as const
export type Phase = (typeof phases)[number]

/** A sink as the cycle sees it. */
export interface CycleSink {
  /** The same in every run of the same plan. */
  readonly part: string
  readonly sink: Sink
}

export interface CycleSource {
  readonly id: string
  readonly ack?: ((upTo: ReadonlyMap<string, Offset>) => Promise<void>) | undefined
}

/** All that a barrier cuts off, copied while nothing moves. */
export interface Cut {
  readonly states: Map<string, Uint8Array | StateBytes>
  /** The states are stored, or not wanted any more. */
  release(): void
  readonly sourceSequences: ReadonlyMap<string, bigint>
  readonly sinkPositions: ReadonlyMap<string, bigint>
  readonly watermarks: ReadonlyMap<string, bigint>
  /** By source: where each split goes on. */
  readonly offsets: ReadonlyMap<string, ReadonlyMap<string, Offset>>
  /** By part: what `prepare` of the sink gives, called at the border. */
  readonly prepared: ReadonlyMap<string, Promise<Uint8Array>>
  /** The same offsets as a sink that leads takes them. */
  readonly led: LedOffsets
}

export interface CycleLimits {
  readonly alignMs: number
  readonly prepareMs: number
  readonly persistMs: number
  /** After that long a commit that is not complete gives an alarm; it goes on. */
  readonly commitWarnMs: number
}

export interface CycleInput {
  readonly snapshots: Snapshots
  readonly sinks: readonly CycleSink[]
  readonly sources: readonly CycleSource[]
  /** The only sink commits offsets with its rows: the clock's checkpoints leave no snapshot (delivery.md §6). */
  readonly sinkLed: boolean
  /** Sends the barrier through the graph while no row moves, and gives what it cuts off. */
  readonly cut: (epoch: bigint, form: CycleForm) => Promise<Cut>
  readonly clock: Clock
  readonly limits: CycleLimits
  readonly onPhase?: ((phase: Phase, epoch: bigint) => void) | undefined
  /** A checkpoint begins or ends. */
  readonly onRunning?: ((isRunning: boolean) => void) | undefined
  readonly onWarning: (error: HeadraceError) => void
  /** A row that a sink refused at its commit. */
  readonly onRejects: (part: string, epoch: bigint, rejects: readonly SinkReject[]) => void
  /** Ends the retries of a commit: the next start goes on with it. */
  readonly signal: AbortSignal
  /** True while the pipeline waits for something that is told elsewhere: no limit runs out meanwhile (rulings 19). */
  readonly isWaiting?: (() => boolean) | undefined
}

export interface CycleForm {
  readonly reason: CheckpointReason
  /** All input was read to its end. */
  readonly last: boolean
}

/** An epoch that was aborted: the pipeline goes back to its last checkpoint. */
export class EpochAborted extends Error {
  readonly epoch: bigint
  override readonly cause: unknown

  constructor(epoch: bigint, cause: unknown) {
    super(`epoch ${epoch} was aborted`)
    this.name = 'EpochAborted'
    this.epoch = epoch
    this.cause = cause
  }
}

/** For sinks that stage their rows themselves. */
export const noReplay = (): AsyncIterable<never> => {
  throw new HeadraceError('internal_assertion', 'a sink asked for a replay of rows that nobody keeps')
}

/**
 * One checkpoint: begin, align, prepare, persist, commit, mark, acknowledge, prune, strictly in this order and one at a
 * time. What fails before the snapshot can be seen is aborted; from then on the epoch happens, whatever fails
 * (rulings 10).
 */
export class Cycle {
  readonly #input: CycleInput
  readonly #random = new Random(0)
  #running = false
  /** Durations of the last cycles in milliseconds. */
  readonly durations: number[] = []
  lastEpoch = 0n
  lastId = 0n
  phase: Phase | 'idle' = 'idle'
  #phaseSince = 0
  /** Failed cycles by the phase they failed in. */
  readonly failures = new Map<Phase, number>()
  /** By part: the last prepare and commit, milliseconds. */
  readonly sinkTimes = new Map<string, { prepare_ms: number; commit_ms: number }>()

  constructor(input: CycleInput) {
    this.#input = input
  }

  /** How long the phase at hand takes, at `now` of the clock. */
  phaseMs(now: number): number {
    return this.phase === 'idle' ? 0 : now - this.#phaseSince
  }

  get running(): boolean {
    return this.#running
  }

  async run(form: CycleForm): Promise<{ readonly id: bigint; readonly epoch: bigint }> {
    assert(!this.#running, 'two checkpoints at once')
    this.#setRunning(true)
    const started = this.#input.clock.elapsedMs()
    try {
      const pending = await this.#acts(form)
      this.lastEpoch = pending.epoch
      this.lastId = pending.id
      this.durations.push(this.#input.clock.elapsedMs() - started)
      if (this.durations.length > 100) this.durations.shift()
      return pending
    } catch (error) {
      if (this.phase !== 'idle') this.failures.set(this.phase, (this.failures.get(this.phase) ?? 0) + 1)
      throw error
    } finally {
      this.#setRunning(false)
      this.phase = 'idle'
    }
  }

  #setRunning(isRunning: boolean): void {
    this.#running = isRunning
    this.#input.onRunning?.(isRunning)
  }

  #enter(phase: Phase, epoch: bigint): void {
    this.phase = phase
    this.#phaseSince = this.#input.clock.elapsedMs()
    this.#input.onPhase?.(phase, epoch)
  }

  async #acts(form: CycleForm): Promise<{ readonly id: bigint; readonly epoch: bigint }> {
    const { snapshots } = this.#input
    const pending = snapshots.begin()
    const { id, epoch } = pending
    this.#enter('begin', epoch)
    const { cut, tokens } = await this.#prepared(epoch, form)
    const isKept = !this.#input.sinkLed || form.reason !== 'interval'
    if (isKept) await this.#persist(pending, cut, tokens)
    else cut.release()
    this.#enter('commit', epoch)
    await this.#commit(epoch, tokens, this.#input.sinkLed ? cut.led : undefined)
    if (isKept) {
      this.#enter('mark', epoch)
      await this.#warned('mark', snapshots.markDone(id))
    }
    this.#enter('ack', epoch)
    for (const source of this.#input.sources) {
      const upTo = cut.offsets.get(source.id)
      if (upTo !== undefined && source.ack !== undefined) await this.#warned('acknowledge', source.ack(upTo))
    }
    if (isKept) {
      this.#enter('prune', epoch)
      await this.#warned('prune', snapshots.prune())
    }
    return pending
  }

  /** From here on the epoch happens, unless the snapshot is provably not there. */
  async #persist(pending: Pending, cut: Cut, tokens: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { snapshots, limits } = this.#input
    const { epoch } = pending
    this.#enter('persist', epoch)
    try {
      for (const [part, token] of tokens) cut.states.set(preparedKey(part), token)
      const { sourceSequences, sinkPositions, watermarks, states: operatorStates } = cut
      const content = { sourceSequences, sinkPositions, watermarks, operatorStates }
      // Not before the store is done with them, also when it takes too long for us.
      const stored = snapshots.persist(pending, content).finally(() => cut.release())
      await this.#within(stored, limits.persistMs, 'persist', 'unknown')
    } catch (error) {
      if (isAbsent(error)) await this.#abort(epoch, tokens)
      if (isAbsent(error) && !isFenced(error)) throw new EpochAborted(epoch, error)
      throw error
    }
  }

  /** Everything that can still be taken back. */
  async #prepared(epoch: bigint, form: CycleForm): Promise<{ cut: Cut; tokens: ReadonlyMap<string, Uint8Array> }> {
    const { limits } = this.#input
    const tokens = new Map<string, Uint8Array>()
    let cut: Cut | undefined
    try {
      this.#enter('align', epoch)
      cut = await this.#within(this.#input.cut(epoch, form), limits.alignMs, 'align')
      this.#enter('prepare', epoch)
      const all = [...cut.prepared].map(async ([part, token]) => {
        tokens.set(part, await token)
        this.#times(part).prepare_ms = this.phaseMs(this.#input.clock.elapsedMs())
      })
      await this.#within(Promise.all(all), limits.prepareMs, 'prepare')
      return { cut, tokens }
    } catch (error) {
      // Nobody may write any more when staging is removed.
      if (cut !== undefined) await Promise.allSettled(cut.prepared.values())
      cut?.release()
      await this.#abort(epoch, tokens)
      throw isFenced(error) ? error : new EpochAborted(epoch, error)
    }
  }

  async #commit(epoch: bigint, tokens: ReadonlyMap<string, Uint8Array>, led: LedOffsets | undefined): Promise<void> {
    const { clock, limits } = this.#input
    const done = new AbortController()
    const alarm = clock.sleep(limits.commitWarnMs, done.signal).then(() => {
      if (!done.signal.aborted)
        this.#warn('commit', `epoch ${epoch} waits for its commit for ${limits.commitWarnMs} ms`)
    })
    try {
      const commits = await Promise.allSettled(
        this.#input.sinks.map((sink) => this.#commitOne(sink, { epoch, tokens, led })),
      )
      const failed = commits.find((commit) => commit.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    } finally {
      done.abort()
      await alarm
    }
  }

  async #commitOne(
    { part, sink }: CycleSink,
    of: {
      readonly epoch: bigint
      readonly tokens: ReadonlyMap<string, Uint8Array>
      readonly led: LedOffsets | undefined
    },
  ): Promise<void> {
    const { epoch, tokens, led } = of
    const token = tokens.get(part)
    if (token === undefined || sink.commit === undefined) return
    const { clock, signal } = this.#input
    const rejects = await retry(() => sink.commit!(epoch, token, noReplay, led), {
      policy: RETRY_DEFAULTS,
      clock,
      random: this.#random,
      signal,
      onRetry: (error) => this.#warn('commit', `${part}: ${error.message}; trying again`),
    })
    this.#times(part).commit_ms = this.phaseMs(clock.elapsedMs())
    if (rejects.length > 0) this.#input.onRejects(part, epoch, rejects)
  }

  #times(part: string): { prepare_ms: number; commit_ms: number } {
    let times = this.sinkTimes.get(part)
    if (times === undefined) {
      times = { prepare_ms: 0, commit_ms: 0 }
      this.sinkTimes.set(part, times)
    }
    return times
  }

  async #abort(epoch: bigint, tokens: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const { part, sink } of this.#input.sinks) {
      await this.#warned('abort', sink.abort?.(epoch, tokens.get(part)))
    }
  }

  /** What may fail without harm: restoring repeats it. */
  async #warned(doing: string, task: Promise<unknown> | undefined): Promise<void> {
    try {
      await task
    } catch (error) {
      if (isFenced(error)) throw error
      this.#warn(doing, error instanceof Error ? error.message : String(error))
    }
  }

  #warn(phase: string, message: string): void {
    this.#input.onWarning(
      new HeadraceError('checkpoint_io_error', `checkpoint, ${phase}: ${message}`, { details: { phase } }),
    )
  }

  async #within<T>(task: Promise<T>, ms: number, phase: Phase, outcome?: 'unknown'): Promise<T> {
    const done = new AbortController()
    const { clock, isWaiting } = this.#input
    const limit = async (): Promise<void> => {
      do await clock.sleep(ms, done.signal)
      while (!done.signal.aborted && isWaiting?.() === true)
      if (done.signal.aborted) return
      throw Object.assign(timeoutOf(phase, ms), outcome === undefined ? {} : { outcome })
    }
    const late = limit()
    try {
      return (await Promise.race([task, late])) as T
    } finally {
      done.abort()
      await late.catch(() => undefined)
      task.catch(() => undefined)
    }
  }
}

const timeoutOf = (phase: Phase, ms: number): HeadraceError =>
  new HeadraceError('checkpoint_timeout', 'checkpoint operation timed out', {
    hint: `${phase} took longer than ${ms} ms: see what the sink or the disk waits for, or raise checkpoint.timeout_${phase}`,
    details: { phase, ms },
  })

/** Key of a sink's commit token in a snapshot. */
export const preparedKey = (part: string): string => `sink/${encodeName(part)}/prepared/0`

const isFenced = (error: unknown): boolean => error instanceof HeadraceError && error.class === 'fenced'
const isAbsent = (error: unknown): boolean => (error as { outcome?: unknown }).outcome === 'absent'
