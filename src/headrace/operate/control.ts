import { hostname } from 'node:os'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { askPipeline } from '../durable/control-client.ts'
import type { KeptPipeline } from './kept-pipelines.ts'
import { liveOwner } from './live-owner.ts'

/** Asks a running pipeline to do something; throws when it does not run on this machine. */
export async function tell(
  kept: KeptPipeline,
  action: string,
  clock: Clock,
): Promise<Readonly<Record<string, unknown>>> {
  const { name, folder } = kept
  const answer = await askPipeline(folder, name, { method: 'POST', action })
  if (answer !== undefined) return answer as Readonly<Record<string, unknown>>
  const owner = liveOwner(kept, clock)
  if (owner !== undefined) {
    const where = owner.host === hostname() ? 'gives no answer' : `runs on ${owner.host}`
    throw new HeadraceError('pipeline_refused', `"${name}" ${where} (process ${owner.pid})`, {
      hint: owner.host === hostname() ? 'it is starting or ending: try again' : 'give the command there',
    })
  }
  const script = kept.script === null ? '' : `: headrace run ${kept.script}`
  throw new HeadraceError('pipeline_not_running', `"${name}" does not run`, { hint: `start it${script}` })
}

/** Throws when anybody may run the pipeline: its state must not be touched then. */
export function refuseRunning(kept: KeptPipeline, what: string, clock: Clock): void {
  const owner = liveOwner(kept, clock)
  if (owner === undefined) return
  throw new HeadraceError(
    'pipeline_running',
    `"${kept.name}" is run by process ${owner.pid} on ${owner.host}: ${what} needs it stopped`,
    { hint: `headrace pipelines stop ${kept.name}` },
  )
}

const LOOK_MS = 50

/** Stops a pipeline and waits for its end: true when it is over, false when `timeoutMs` passed before. */
export async function stopPipeline(
  kept: KeptPipeline,
  of: { readonly clock: Clock; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<boolean> {
  const { clock, timeoutMs, signal } = of
  await tell(kept, 'stop', clock)
  const until = clock.elapsedMs() + timeoutMs
  while (liveOwner(kept, clock) !== undefined) {
    if (clock.elapsedMs() >= until || signal.aborted) return false
    await clock.sleep(LOOK_MS, signal)
  }
  return true
}
