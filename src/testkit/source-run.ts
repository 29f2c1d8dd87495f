import type { Offset, Source } from '../connectors/contract.ts'
import type { ManualClock } from '../core/clock.ts'
import { rowAt } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { Harness } from './harness.ts'

/** What a checkpoint keeps of a source: what it gave with the barrier. */
export interface SourceSnapshot {
  readonly state: Uint8Array | undefined
  readonly offsets: ReadonlyMap<string, Offset>
}

/** One value per row, with where it came from. */
export interface RunRow {
  readonly split: string
  readonly values: readonly Value[]
}

/**
 * Runs an endless source as a pipeline does, for tests: a reader for every split as it is added, the next item when the
 * last was taken. Time stands still unless it is moved.
 */
export class SourceRun {
  readonly rows: RunRow[] = []
  /** `added`, `removed`, `idle` and `ended` with their split, in order. */
  readonly events: string[] = []
  readonly rejects: string[] = []
  readonly source: Source
  readonly #clock: ManualClock
  readonly #stop = new AbortController()
  readonly #offsets: Map<string, Offset>
  readonly #readers = new Set<Promise<void>>()
  readonly #splits: Promise<void>
  #steps = 0
  #failure: unknown

  private constructor(source: Source, clock: ManualClock, offsets: ReadonlyMap<string, Offset>) {
    this.source = source
    this.#clock = clock
    this.#offsets = new Map(offsets)
    this.#splits = this.#failFast(this.#follow())
  }

  static async start(
    harness: Harness,
    of: {
      readonly uri: string
      readonly schema: Schema
      readonly systemColumns?: readonly string[]
      readonly clock: ManualClock
      readonly from?: SourceSnapshot | undefined
    },
  ): Promise<SourceRun> {
    const source = await harness.openSource(of.uri, of.schema, of.systemColumns, of.from?.state)
    const run = new SourceRun(source, of.clock, of.from?.offsets ?? new Map())
    await run.settle()
    return run
  }

  /** The first value of every row. */
  get values(): Value[] {
    return this.rows.map(({ values }) => values[0]!)
  }

  snapshot(): SourceSnapshot {
    return { state: this.source.state?.(), offsets: new Map(this.#offsets) }
  }

  /** Until nothing happens any more while time stands still. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 6; quiet++) {
      const before = this.#steps
      await new Promise(setImmediate)
      if (this.#steps !== before) quiet = 0
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Moves time on, and waits until what that brings is over. */
  async advance(ms: number): Promise<void> {
    this.#clock.advance(ms)
    await this.settle()
  }

  /** Moves time on in steps until something is so. */
  async until(isSo: () => boolean, stepMs = 1000): Promise<void> {
    for (let steps = 0; !isSo(); steps++) {
      if (steps > 2000) throw new Error(`it did not come: ${JSON.stringify(this.events)}`)
      await this.advance(stepMs)
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled([this.#splits, ...this.#readers])
    await this.source[Symbol.asyncDispose]()
  }

  async #failFast(task: Promise<void>): Promise<void> {
    try {
      await task
    } catch (error) {
      this.#failure ??= error
    }
  }

  async #follow(): Promise<void> {
    for await (const event of this.source.splits(this.#stop.signal)) {
      this.#steps++
      const split = event.kind === 'added' ? event.split.id : event.kind === 'removed' ? event.id : ''
      this.events.push(`${event.kind} ${split}`)
      if (event.kind === 'removed') this.#offsets.delete(split)
      if (event.kind !== 'added') continue
      const reading = this.#failFast(this.#read(split))
      this.#readers.add(reading)
      void reading.then(() => this.#readers.delete(reading))
    }
  }

  async #read(split: string): Promise<void> {
    await using reader = this.source.open(split)
    for await (const item of reader.read(this.#offsets.get(split), this.#stop.signal)) {
      this.#steps++
      this.#offsets.set(split, item.next)
      if (item.kind === 'idle') {
        this.events.push(`idle ${split}`)
        continue
      }
      const { batch, rejects = [] } = item
      for (let row = 0; row < (batch?.rows ?? 0); row++) this.rows.push({ split, values: rowAt(batch!, row).values })
      this.rejects.push(...rejects.map(({ bytes }) => Buffer.from(bytes).toString()))
    }
    if (!this.#stop.signal.aborted) this.events.push(`ended ${split}`)
    this.#steps++
  }
}
