import type { Checkpointing } from '../runtime/delivery/checkpointing.ts'
import type { Cycle } from '../runtime/delivery/cycle.ts'
import type { Drive } from '../runtime/drive/drive.ts'
import type { EdgeGuarantee } from './guarantee.ts'
import type { QueueWait } from './letter-queue.ts'

/** What a running pipeline says of itself, as JSON (delivery.md §3). */
export interface RunStatus {
  readonly pipeline: string
  readonly state: 'running' | 'paused' | 'stopping'
  readonly lineage: string
  readonly incarnation: string
  readonly started: string
  /** What holds between each source and sink. */
  readonly guarantees: readonly EdgeGuarantee[]
  readonly rows_in: number
  readonly rows_out: readonly { readonly target: string; readonly rows: number }[]
  readonly late_rows: number
  readonly dead_letters: Readonly<Record<string, number>>
  /** The entries of its queue that wait, and the share of the limit that they are; null where none are kept. */
  readonly dlq: { readonly entries: number; readonly bytes: number; readonly fill: number } | null
  readonly checkpoint: {
    readonly phase: string
    readonly epoch: string
    readonly id: string
    readonly age_ms: number | null
    readonly bytes: number
    readonly last_ms: number | null
    readonly p50_ms: number | null
    readonly p95_ms: number | null
    readonly p99_ms: number | null
    readonly skipped: number
    /** Until the next one by the clock. */
    readonly next_ms: number | null
    readonly failures: Readonly<Record<string, number>>
    /** By sink: how long its last prepare and commit took. */
    readonly sinks: Readonly<Record<string, { readonly prepare_ms: number; readonly commit_ms: number }>>
  }
  /** What each side of the pipeline waits for, and since when. */
  readonly waits: readonly Wait[]
}

export interface Wait {
  readonly who: string
  readonly cause: 'no_input' | 'commit' | 'sink' | 'paused' | 'window_open' | 'dlq_full' | 'dlq_rate'
  readonly detail: string
  readonly since_ms: number
}

/** Facts that only the pipeline knows. */
export interface RunFacts {
  readonly pipeline: string
  readonly lineage: string
  readonly incarnation: string
  readonly started: string
  readonly guarantees: readonly EdgeGuarantee[]
  rowsIn(): number
  rowsOut(): RunStatus['rows_out']
  lateRows(): number
  deadLetters(): Readonly<Record<string, number>>
  queue(): RunStatus['dlq']
  /** Why the queue of dead letters takes nothing at the moment. */
  queueWait(): QueueWait | undefined
  bytes(): number
  /** Throws when no savepoint of that name can be made. */
  refuseSavepoint(name: string): Promise<void>
  /** Copies a snapshot to where it stays. */
  keepSavepoint(name: string, id: bigint): Promise<void>
  /** The least watermark of windows that are open, microseconds. */
  watermarkMicros(): number | undefined
}

/** The handle on a running pipeline that its control socket serves. */
export class RunControl {
  readonly #parts: { readonly drive: Drive; readonly cycle: Cycle; readonly checkpointing: Checkpointing }
  readonly #facts: RunFacts
  readonly #elapsedMs: () => number
  readonly #stop: () => void
  readonly #onResume: () => void
  #paused: Pause | undefined
  #stopping = false

  constructor(
    parts: { readonly drive: Drive; readonly cycle: Cycle; readonly checkpointing: Checkpointing },
    facts: RunFacts,
    form: {
      readonly elapsedMs: () => number
      readonly stop: () => void
      /** A user lets it go on. */
      readonly onResume: () => void
    },
  ) {
    this.#parts = parts
    this.#facts = facts
    this.#elapsedMs = form.elapsedMs
    this.#stop = form.stop
    this.#onResume = form.onResume
  }

  status(): RunStatus {
    const { cycle, checkpointing } = this.#parts
    const facts = this.#facts
    const sorted = cycle.durations.toSorted((a, b) => a - b)
    const at = (share: number): number | null =>
      sorted.length === 0 ? null : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!)
    return {
      pipeline: facts.pipeline,
      state: this.#stopping ? 'stopping' : this.#paused === undefined ? 'running' : 'paused',
      lineage: facts.lineage,
      incarnation: facts.incarnation,
      started: facts.started,
      guarantees: facts.guarantees,
      rows_in: facts.rowsIn(),
      rows_out: facts.rowsOut(),
      late_rows: facts.lateRows(),
      dead_letters: facts.deadLetters(),
      dlq: facts.queue(),
      checkpoint: {
        phase: cycle.phase,
        epoch: String(cycle.lastEpoch),
        id: String(cycle.lastId),
        age_ms: checkpointing.ageMs,
        bytes: facts.bytes(),
        last_ms: cycle.durations.length === 0 ? null : Math.round(cycle.durations.at(-1)!),
        p50_ms: at(0.5),
        p95_ms: at(0.95),
        p99_ms: at(0.99),
        skipped: checkpointing.skipped,
        next_ms: checkpointing.nextMs,
        failures: Object.fromEntries(cycle.failures),
        sinks: Object.fromEntries(cycle.sinkTimes),
      },
      waits: this.#waits(),
    }
  }

  #waits(): readonly Wait[] {
    const { drive, cycle, checkpointing } = this.#parts
    const now = this.#elapsedMs()
    const waits: Wait[] = []
    if (this.#paused !== undefined) {
      const { cause, detail, sinceMs } = this.#paused
      waits.push({ who: 'pipeline', cause, detail, since_ms: now - sinceMs })
    }
    const full = this.#facts.queueWait()
    if (full !== undefined) {
      waits.push({ who: 'dlq', cause: 'dlq_full', detail: full.detail, since_ms: Math.round(now - full.sinceMs) })
    }
    if (cycle.phase === 'commit') {
      const detail = `epoch ${cycle.lastEpoch + 1n} waits for its sinks to commit`
      waits.push({ who: 'sinks', cause: 'commit', detail, since_ms: Math.round(cycle.phaseMs(now)) })
    }
    const idle = now - drive.lastStepMs
    if (drive.busySinceMs !== undefined) {
      const since = now - drive.busySinceMs
      if (since > SLOW_MS && full === undefined)
        waits.push({ who: 'sinks', cause: 'sink', detail: 'a sink takes its rows slowly', since_ms: since })
    } else if (idle > SLOW_MS && this.#paused === undefined) {
      waits.push({ who: 'sources', cause: 'no_input', detail: 'no source has new rows', since_ms: Math.round(idle) })
    }
    const next = checkpointing.nextMs
    const watermark = this.#facts.watermarkMicros()
    if (watermark !== undefined) {
      const text = new Date(watermark / 1000).toISOString()
      const detail = `windows that end after ${text} are open until later event times come`
      waits.push({ who: 'windows', cause: 'window_open', detail, since_ms: 0 })
    }
    if (next !== null && cycle.phase === 'idle' && this.#paused === undefined) {
      const detail = `rows become visible at the next commit, in ${Math.round(next / 100) / 10} s`
      waits.push({ who: 'sinks', cause: 'commit', detail, since_ms: checkpointing.ageMs ?? 0 })
    }
    return waits
  }

  /** A checkpoint now; resolves when it is committed everywhere. */
  checkpoint(): Promise<{ readonly id: bigint; readonly epoch: bigint }> {
    return this.#parts.checkpointing.trigger('manual')
  }

  /** A checkpoint that is committed everywhere and kept under a name. */
  async savepoint(name: string): Promise<{ readonly id: bigint; readonly epoch: bigint }> {
    await this.#facts.refuseSavepoint(name)
    return await this.#parts.checkpointing.trigger('savepoint', ({ id }) => this.#facts.keepSavepoint(name, id))
  }

  /** Nothing is read until `resume`; resolves when a checkpoint holds what was. */
  async pause(why: { readonly cause: Pause['cause']; readonly detail: string } = ASKED): Promise<void> {
    if (this.#paused !== undefined) return
    const { drive, checkpointing } = this.#parts
    const held = Promise.withResolvers<void>()
    const over = Promise.withResolvers<void>()
    const sinceMs = this.#elapsedMs()
    this.#paused = { ...why, sinceMs, held: held.promise, task: Promise.resolve(), resume: over.resolve }
    void drive.hold(() => {
      held.resolve()
      return over.promise
    })
    await held.promise
    const taken = checkpointing.trigger('manual')
    checkpointing.paused = true
    await taken
  }

  /** Runs a task while no row is in the graph, also when the pipeline is paused. */
  between<T>(task: () => Promise<T>): Promise<T> {
    const paused = this.#paused
    if (paused === undefined) return this.#parts.drive.hold(task)
    // One after the other, and before anything is read again.
    const result = paused.task.then(() => paused.held).then(task)
    paused.task = result.catch(() => undefined)
    return result
  }

  resume(): void {
    const paused = this.#paused
    if (paused === undefined) return
    this.#parts.checkpointing.paused = false
    this.#paused = undefined
    this.#onResume()
    void paused.task.then(paused.resume)
  }

  /** The graceful stop: a last checkpoint, then the end. */
  stop(): void {
    this.#stopping = true
    this.resume()
    this.#stop()
  }
}

interface Pause {
  readonly cause: 'paused' | 'dlq_rate'
  readonly detail: string
  readonly sinceMs: number
  /** Resolves when nothing moves. */
  readonly held: Promise<void>
  /** What runs in the pause. */
  task: Promise<unknown>
  readonly resume: () => void
}

const ASKED = { cause: 'paused', detail: 'resume it: headrace pipelines resume' } as const

/** Waits shorter than that are not worth a word. */
const SLOW_MS = 1000
