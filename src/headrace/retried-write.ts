import type { Sink, SinkReject } from '../connectors/contract.ts'
import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import type { HeadraceError } from '../core/errors.ts'
import type { OptionValues } from '../core/options.ts'
import { Random } from '../core/random.ts'
import { isRetryable, RETRY_DEFAULTS, retry } from '../core/retry.ts'

/**
 * `on_error = 'retry'` of a sink: what may pass is tried again in place, the same batch in the same order; when the tries
 * are used up its rows are dead letters, or the error stands. Undefined: the sink's own `write` does.
 */
export function retriedWrite(
  sink: Sink,
  options: OptionValues | undefined,
  how: { readonly clock: Clock; readonly signal: AbortSignal; readonly onRetry: (error: HeadraceError) => void },
): ((batch: Batch) => Promise<readonly SinkReject[]>) | undefined {
  if (options?.['on_error'] !== 'retry') return undefined
  const policy = { ...RETRY_DEFAULTS, attempts: (options['attempts'] as number | undefined) ?? 5 }
  const random = new Random(0)
  return async (batch) => {
    try {
      return await retry(() => sink.write(batch), { ...how, policy, random })
    } catch (error) {
      if (!isRetryable(error) || options['retry_then'] === 'fail' || how.signal.aborted) throw error
      const { code, message: detail } = error as HeadraceError
      return Array.from({ length: batch.rows }, (_, row) => ({ row, code, detail }))
    }
  }
}
