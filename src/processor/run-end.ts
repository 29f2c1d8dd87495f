import type { Clock } from '../core/clock.ts'
import { IngestorError, ProcessingError, StreamError } from './errors.ts'
import { processingFailure, textOf } from './failures.ts'

/** What a run rejects with; what failed at its end beside it is `suppressed`. */
export type RunError = StreamError & { suppressed?: unknown[] }

/** Runs the steps of an end, each within the time limit and whatever became of the others; gives what failed. */
export async function endSteps(
  steps: readonly (readonly [what: string, task: () => Promise<unknown>])[],
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<unknown[]> {
  const faults: unknown[] = []
  for (const [what, task] of steps) {
    try {
      await within(what, task(), { clock, timeoutMs })
    } catch (error) {
      faults.push(error)
    }
  }
  return faults
}

async function within(
  what: string,
  task: Promise<unknown>,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<void> {
  const done = new AbortController()
  const late = clock.sleep(timeoutMs, done.signal).then(() => {
    if (done.signal.aborted) return
    throw processingFailure(new ProcessingError('Aborted', { reason: `${what} did not end within ${timeoutMs} ms` }))
  })
  try {
    await Promise.race([task, late])
  } finally {
    done.abort()
    await late.catch(() => undefined)
  }
}

/** The first of several errors as that of the run, with the others. */
export function runError(errors: readonly unknown[]): RunError | undefined {
  const [first, ...others] = errors
  if (first === undefined) return undefined
  const error: RunError = streamError(first)
  if (others.length > 0) error.suppressed = others
  return error
}

function streamError(error: unknown): StreamError {
  if (error instanceof StreamError) return error
  if (error instanceof IngestorError) return new StreamError('PipelineError', { source: error }, { cause: error })
  return new StreamError('ConsumptionError', { details: textOf(error) }, { cause: error })
}
