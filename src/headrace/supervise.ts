import type { HeadraceError } from '../core/errors.ts'
import { Random } from '../core/random.ts'
import { BackOff, isRetryable, RETRY_DEFAULTS } from '../core/retry.ts'
import { EpochAborted } from '../runtime/delivery/cycle.ts'
import { checkpointSettings } from './durable/settings.ts'
import { type DurableOptions, startDurable } from './durable/start.ts'
import type { Engine } from './engine.ts'
import { keepsState } from './keeps-state.ts'
import { type Digest, Pipeline, type PipelineInput } from './pipeline.ts'

/** Restarts in a row, without an epoch that was committed between them, until a pipeline has failed for good. */
const RESTARTS_MAX = 10
const RESTART = { ...RETRY_DEFAULTS, initialMs: 1000, maxMs: 300_000 }

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
  const { plan, durable: options } = input
  const settings = checkpointSettings(plan)
  if (options === undefined || !settings.enabled || !keepsState(plan)) {
    return await new Pipeline(engine, input).run(signal)
  }
  const random = new Random(0)
  let backOff = new BackOff(RESTART, random)
  let committed: bigint | undefined
  for (;;) {
    const pipeline = new Pipeline(engine, input)
    const facts = { ...pipeline.facts, pipeline: plan.name! }
    const durable = await startDurable(engine, facts, settings, options, signal).catch(async (error: unknown) => {
      await pipeline.close()
      throw error
    })
    input.onStart?.(durable.notes)
    try {
      return await pipeline.run(signal, durable)
    } catch (error) {
      const cause = error instanceof EpochAborted ? error.cause : error
      if (!(error instanceof EpochAborted) && !isRetryable(error)) throw error
      const epoch = durable.restored?.epoch
      if (epoch !== committed) backOff = new BackOff(RESTART, random)
      committed = epoch
      if (signal.aborted || !isRetryable(cause) || backOff.failures >= RESTARTS_MAX) throw cause
      const delay = backOff.next()
      input.onRestart?.(cause as HeadraceError, delay)
      await durable.close()
      await engine.clock.sleep(delay, signal)
      if (signal.aborted) throw cause
    } finally {
      await durable.close()
    }
  }
}
