import { join } from 'node:path'
import type { CheckpointStore } from '../../checkpoint/store.ts'
import type { Sink } from '../../connectors/contract.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Row, rowAt } from '../../core/row-batch.ts'
import { Checksum } from '../../kernels/crc32c.ts'
import type { LogFiles } from '../../log/log-files.ts'
import { DeadLetters, SkippedRows } from '../dead-letters.ts'
import { checkpointSettings } from '../durable/settings.ts'
import { type DurableOptions, startDurable } from '../durable/start.ts'
import { Engine } from '../engine.ts'
import { Pipeline, type PipelineInput } from '../pipeline.ts'
import type { Digest } from '../run-digest.ts'
import { compileScript, type ScriptInput } from '../script.ts'
import { entryAt } from './queue-folder.ts'
import { readQueue } from './queue-state.ts'
import type { ReplayReport } from './replay.ts'
import { type ReplayRun, runReplay } from './run-replay.ts'
import { wholeEntry } from './whole-entry.ts'

/** Rows of an epoch are collected once it is committed; outlives the runs of a pipeline. */
export class Collected {
  readonly rows: Row[] = []
  epoch = 0n
  /** Rows are refused as by a target that does not answer. */
  away = false
  readonly #staged = new Map<bigint, readonly Row[]>()

  /** A sink of one run. */
  sink(): Sink {
    let open: Row[] = []
    return {
      write: async (batch) => {
        if (this.away) {
          const refused = { code: 'connector_unreachable', detail: 'away' }
          return Array.from({ length: batch.rows }, (_, row) => ({ row, ...refused }))
        }
        for (let row = 0; row < batch.rows; row++) open.push(rowAt(batch, row))
        return []
      },
      flush: async () => [],
      prepare: async (epoch) => {
        this.#staged.set(epoch, open)
        open = []
        return new Uint8Array(0)
      },
      commit: async (epoch) => {
        if (this.epoch < epoch) this.rows.push(...this.#staged.get(epoch)!)
        this.epoch = epoch
        return []
      },
      abort: async (epoch) => {
        this.#staged.delete(epoch)
      },
      ledger: async (incarnation) => ({ epoch: this.epoch, incarnation }),
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
}

/** A pipeline whose rows are collected and whose dead letters lie in a folder; each run is a process of its own. */
export class Trial {
  readonly store: CheckpointStore
  readonly directory: string
  readonly letters: string
  readonly collected = new Collected()
  readonly notes: string[] = []
  readonly skipped: string[] = []
  readonly #clock: Clock
  batchRows = 64
  text: string

  constructor(form: {
    readonly directory: string
    readonly text: string
    readonly store: CheckpointStore
    readonly clock?: Clock
  }) {
    this.directory = form.directory
    this.letters = join(form.directory, 'dlq', 'p')
    this.text = form.text
    this.store = form.store
    this.#clock = form.clock ?? systemClock
  }

  engine(): Engine {
    return new Engine({ baseDirectory: this.directory, batchRows: this.batchRows, clock: this.#clock })
  }

  get script(): ScriptInput {
    return { file: 'p.sql', text: this.text, baseDirectory: this.directory, name: 'p', parameters: new Map() }
  }

  async input(engine: Engine): Promise<PipelineInput> {
    const { plan } = await compileScript(engine, this.script)
    const skipped = new SkippedRows(
      ({ ordinal }) => this.skipped.push(String(ordinal)),
      () => engine.clock.elapsedMs(),
    )
    return {
      plan,
      baseDirectory: this.directory,
      deadLetters: new DeadLetters(() => undefined, skipped),
      client: () => this.collected.sink(),
      sqlPosition: ({ start }) => `p.sql:1:${start}`,
      onNote: (text) => this.notes.push(text),
    }
  }

  options(more: Partial<DurableOptions> = {}): DurableOptions {
    return { at: this.store, allowDroppedState: false, takeover: false, letters: this.letters, ...more }
  }

  async run(
    more: Partial<DurableOptions> & { readonly files?: LogFiles } = {},
    signal = new AbortController().signal,
  ): Promise<Digest> {
    const engine = this.engine()
    const input = await this.input(engine)
    const pipeline = new Pipeline(engine, input)
    const settings = checkpointSettings(input.plan)
    const options = this.options({ ...more, letterFiles: more.files })
    const durable = await startDurable(engine, { ...pipeline.facts, pipeline: 'p' }, settings, options, signal)
    // Another lineage counts its epochs behind those of the last one.
    if (durable.restored === undefined) this.collected.epoch = 0n
    try {
      return await pipeline.run(signal, durable)
    } finally {
      await durable.close()
    }
  }

  async replay(
    more: Partial<Pick<ReplayRun, 'filter' | 'map' | 'rate' | 'batchSize' | 'dryRun'>> = {},
    durable: Partial<DurableOptions> = {},
  ): Promise<ReplayReport> {
    const run: ReplayRun = {
      pipeline: 'p',
      script: this.script,
      directory: this.letters,
      durable: this.options(durable),
      filter: {},
      batchSize: 1000,
      dryRun: false,
      client: () => this.collected.sink(),
      sqlPosition: ({ start }) => `p.sql:1:${start}`,
      ...more,
    }
    return await runReplay(this.engine(), run, new AbortController().signal)
  }

  /** The entries that a reader sees, in order. */
  entries(): readonly SeenEntry[] {
    using checksum = new Checksum(this.engine().kernels)
    const state = readQueue(this.letters, checksum)
    return [...state.entries.values()].map((entry) => {
      const { bytes } = entryAt(entry.writer, entry.place, checksum)
      const { parts } = wholeEntry(state, entry, checksum)
      const { code, state: is, attempts, id } = entry
      return {
        id,
        offset: parts.original_message.offset,
        code,
        state: is,
        retryState: parts.retry_info.state,
        attempts,
        text: Buffer.from(bytes).toString(),
      }
    })
  }
}

export interface SeenEntry {
  readonly id: string
  readonly offset: number | null
  readonly code: string
  readonly state: string
  /** `scheduled` and `gave_up` are told apart from what waits for a user. */
  readonly retryState: string
  readonly attempts: number
  readonly text: string
}

export class Crash extends Error {}
