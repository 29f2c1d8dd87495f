import type { Wait } from '../run-control.ts'
import type { PipelineOverview } from './overview.ts'

/** One reason why nothing comes out, as JSON. */
export interface Reason {
  readonly who: string
  readonly cause: Wait['cause'] | 'not_running' | 'starting' | 'blocked' | 'completed' | 'damaged'
  readonly detail: string
  readonly since_ms: number
}

/** What a pipeline waits for: its own word while it runs, else what is needed to let it go on. */
export function whyOf(overview: PipelineOverview): readonly Reason[] {
  if (overview.run !== null) return overview.run.waits
  const reason = (cause: Reason['cause'], detail: string): Reason => ({
    who: 'pipeline',
    cause,
    detail,
    since_ms: overview.checkpoint?.age_ms ?? 0,
  })
  const { name, script, owner, blocked, checkpoint } = overview
  const start = script === null ? 'start it' : `start it: headrace run ${script}`
  switch (overview.state) {
    case 'starting':
      return [reason('starting', `process ${owner?.pid} starts it, or is about to end`)]
    case 'running':
      return [reason('not_running', `process ${owner?.pid} on ${owner?.host} runs it: ask there`)]
    case 'completed':
      return [reason('completed', 'all input was read and all results are committed')]
    case 'blocked':
      return [
        reason('blocked', `sink '${blocked?.part}' holds epoch ${blocked?.held}; ${choices(name, blocked?.held)}`),
      ]
    case 'damaged':
      return [reason('damaged', overview.faults.join('; '))]
    case 'interrupted':
      return [reason('not_running', `its process ended without a last checkpoint; ${start}`)]
    case 'new':
      return [reason('not_running', `it has never completed a checkpoint; ${start}`)]
    default:
      return [reason('not_running', `it was stopped at epoch ${checkpoint?.epoch ?? '0'}; ${start}`)]
  }
}

/** The commands that let a blocked pipeline go on. */
const choices = (name: string, epoch: string | undefined): string =>
  `headrace pipelines resolve ${name} --epoch ${epoch} --as committed|absent`
