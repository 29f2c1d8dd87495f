import { CheckpointError } from '../checkpoint/error.ts'
import { HeadraceError } from '../core/errors.ts'
import { Random } from '../core/random.ts'
import { BackOff, isRetryable, RETRY_DEFAULTS } from '../core/retry.ts'
import { EpochAborted } from '../runtime/delivery/cycle.ts'
import type { ControlServer } from './durable/control-server.ts'
import { noteBlocked, noteUnblocked } from './durable/resolution.ts'
import { checkpointSettings, type PipelineCheckpoints, runSettings } from './durable/settings.ts'
import { type Durable, type DurableOptions, startDurable } from './durable/start.ts'
import type { Engine } from './engine.ts'
import { keepsState } from './keeps-state.ts'
import { Pipeline, type PipelineInput } from './pipeline.ts'
import type { RunControl } from './run-control.ts'
import type { Digest } from './run-digest.ts'

/** Restarts in a row, without an epoch that was committed between them, until a pipeline has failed for good. */
const RESTARTS_MAX = 10
const RESTART = { ...RETRY_DEFAULTS, initialMs: 1000, maxMs: 300_000 }
/** A full target or data directory is looked at that often, for as long as it is full (rulings 74). */
const FULL_MAX_MS = 10_000
/** A run that ends before cannot be asked anything; it does not pay for being asked. */
const SERVED_FROM_MS = 200

export interface SupervisedInput extends PipelineInput {
  /** Undefined: no state is kept, whatever the plan (a text without a name). */
  readonly durable: DurableOptions | undefined
  /** What a user is told at each start, one line each. */
  readonly onStart?: ((notes: readonly string[]) => void) | undefined
  readonly onRestart?: ((error: HeadraceError, delayMs: number) => void) | undefined
}

/**
 * Runs a pipeline; with state, goes back to the last checkpoint when something passing fails. The one place that starts
 * pipelines again (resilience.md §2).
 */
export async function runPipeline(engine: Engine, input: SupervisedInput, signal: AbortSignal): Promise<Digest> {
  const settings = checkpointSettings(input.plan)
  const { durable } = input
  if (durable === undefined || !settings.enabled || !keepsState(input.plan)) {
    refuseFrom(durable)
    return await new Pipeline(engine, input).run(signal)
  }
  await using supervisor = new Supervisor(engine, input, { settings, options: durable })
  return await supervisor.run(signal)
}

class Supervisor implements AsyncDisposable {
  readonly #engine: Engine
  readonly #input: SupervisedInput
  readonly #settings: PipelineCheckpoints
  #options: DurableOptions
  #server: Promise<ControlServer | undefined> | undefined
  readonly #closing = new AbortController()
  #control: RunControl | undefined

  constructor(
    engine: Engine,
    input: SupervisedInput,
    durable: { readonly settings: PipelineCheckpoints; readonly options: DurableOptions },
  ) {
    this.#engine = engine
    this.#input = input
    this.#settings = durable.settings
    const { onControl } = durable.options
    this.#options = {
      ...durable.options,
      onControl: (control) => {
        onControl?.(control)
        this.#onControl(control)
      },
    }
  }

  async run(signal: AbortSignal): Promise<Digest> {
    const random = new Random(0)
    let backOff = new BackOff(RESTART, random)
    const { failures_max: failuresMax } = runSettings(this.#input.plan)
    let committed: bigint | undefined
    let found: { readonly resumed: Digest['resumed'] } | undefined
    let last: { readonly text: string; times: number } | undefined
    for (let starts = 1; ; starts++) {
      const pipeline = new Pipeline(this.#engine, this.#input)
      let durable: Durable | undefined
      try {
        durable = await this.#start(pipeline, signal)
        found ??= { resumed: durable.completed ? 'complete' : durable.restored === undefined ? undefined : 'part' }
        return { ...(await pipeline.run(signal, durable)), ...found }
      } catch (error) {
        // What does not let it begin is told at once; what does not let it go on may pass like everything else.
        if (durable === undefined && starts === 1) throw error
        const cause = error instanceof EpochAborted ? error.cause : error
        if (durable?.folder !== undefined) noteBlocked(durable.folder, cause)
        if (!signal.aborted && this.#resetsNow(cause)) continue
        const epoch = durable === undefined ? committed : durable.restored?.epoch
        if (epoch !== committed) backOff = new BackOff(RESTART, random)
        committed = epoch
        const { code, message } = cause as HeadraceError
        const text = `${code} ${message}`
        last = { text, times: last?.text === text ? last.times + 1 : 1 }
        const isOver = isBadRow(cause) ? last.times >= failuresMax : !mayPass(error)
        const isFull = waitsForRoom(cause)
        if (signal.aborted || isOver || (!isFull && backOff.failures >= RESTARTS_MAX)) throw cause
        const delay = isFull ? Math.min(backOff.next(), FULL_MAX_MS) : backOff.next()
        this.#input.onRestart?.(cause as HeadraceError, delay)
        await this.#engine.clock.sleep(delay, signal)
        if (signal.aborted) throw cause
      } finally {
        await durable?.close()
      }
    }
  }

  /** A source found out while it was read that it is another one now: the next start does not go on in it. */
  #resetsNow(cause: unknown): boolean {
    const { resetSources: reset } = this.#options
    const isNow = reset?.now === true
    if (isNow) this.#options = { ...this.#options, resetSources: { ...reset!, now: false } }
    const isOther = cause instanceof HeadraceError && cause.code === 'connector_incarnation_changed'
    if (reset === undefined || isNow || !isOther) return false
    this.#options = { ...this.#options, resetSources: { ...reset, now: true } }
    return true
  }

  async #start(pipeline: Pipeline, signal: AbortSignal): Promise<Durable> {
    let durable: Durable | undefined
    try {
      pipeline.refuseUnknownSources(this.#options.resetSources?.names ?? [])
      const facts = { ...pipeline.facts, pipeline: this.#input.plan.name! }
      durable = await startDurable(this.#engine, facts, this.#settings, this.#options, signal)
      // Taken up: from now on the newest checkpoint is what is gone on from.
      this.#options = { ...this.#options, from: undefined }
      this.#input.onStart?.(durable.notes)
      if (durable.folder !== undefined) {
        noteUnblocked(durable.folder)
        this.#serve(durable.folder)
      }
      return durable
    } catch (error) {
      await durable?.close()
      await pipeline.close()
      throw error
    }
  }

  #serve(folder: string): void {
    this.#server ??= this.#openServer(folder)
    this.#onControl(this.#control)
  }

  async #openServer(folder: string): Promise<ControlServer | undefined> {
    const { signal } = this.#closing
    const isBounded = this.#input.plan.outputs.every(({ root }) => root.traits.bounded)
    if (isBounded) await this.#engine.clock.sleep(SERVED_FROM_MS, signal)
    if (signal.aborted) return undefined
    const { ControlServer } = await import('./durable/control-server.ts')
    return await ControlServer.open(folder)
  }

  #onControl(control: RunControl | undefined): void {
    this.#control = control
    this.#server?.then(
      (server) => {
        if (server !== undefined) server.control = this.#control
      },
      // Without a socket the pipeline runs all the same; commands say that they cannot reach it.
      () => undefined,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    const server = await this.#server?.catch(() => undefined)
    await server?.close()
  }
}

/**
 * A row that `on_error = 'fail'` does not let pass, or that a full queue rejects: it will fail again, unless somebody
 * changes what it meets; `failures_max` times in a row are enough (delivery.md §9).
 */
const isBadRow = (error: unknown): boolean =>
  error instanceof HeadraceError && (error.class === 'poison' || error.code === 'dlq_full')

function refuseFrom(durable: DurableOptions | undefined): void {
  if (durable?.from === undefined) return
  throw new HeadraceError('cli_usage', `--from ${durable.from}: this pipeline keeps no state`, {
    hint: 'state is kept by a pipeline with a name (a file, or -- @name) that is endless or writes to something that lasts',
  })
}

const waitsForRoom = (error: unknown): boolean =>
  (error instanceof CheckpointError ? error.like : (error as { code?: unknown }).code) === 'connector_capacity'

/** Going back to the last checkpoint may help. */
function mayPass(error: unknown): boolean {
  return isRetryable(error instanceof EpochAborted ? error.cause : error)
}
