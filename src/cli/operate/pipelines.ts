import { systemClock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { parseDuration } from '../../core/option-text.ts'
import { stopPipeline, tell } from '../../headrace/operate/control.ts'
import { keptPipeline, keptPipelines } from '../../headrace/operate/kept-pipelines.ts'
import { liveOwner } from '../../headrace/operate/live-owner.ts'
import { overviewOf, type PipelineOverview } from '../../headrace/operate/overview.ts'
import { whyOf } from '../../headrace/operate/why.ts'
import { bytesText, columns, spanText } from '../columns.ts'
import type { CommandContext } from '../command.ts'
import type { DataDirOption } from '../data-dir.ts'
import { dataDirOf } from './places.ts'
import { overviewText, stateText, statusText } from './texts.ts'

export async function list({ dataDir }: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const place = dataDirOf(dataDir)
  const rows = [['NAME', 'STATE', 'EPOCH', 'CHECKPOINT', 'SIZE', 'SCRIPT']]
  for (const kept of keptPipelines(place)) {
    const overview = await overviewOf(kept, systemClock)
    if (json) io.out(`${JSON.stringify(overview)}\n`)
    else rows.push(listRow(overview))
  }
  if (json) return
  if (rows.length > 1) io.out(columns(rows))
  else io.err(`no pipeline is kept in "${place}"\n`)
}

function listRow(overview: PipelineOverview): string[] {
  const { name, checkpoint, script } = overview
  const last =
    checkpoint === null
      ? ['–', 'none', '–']
      : [
          checkpoint.epoch,
          `${spanText(checkpoint.age_ms)} ago${checkpoint.done ? '' : ', not committed'}`,
          bytesText(checkpoint.bytes),
        ]
  return [name, stateText(overview), ...last, script ?? '–']
}

const find = async (name: string, { dataDir }: DataDirOption): Promise<PipelineOverview> =>
  await overviewOf(keptPipeline(dataDirOf(dataDir), name), systemClock)

export async function show(name: string, options: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const overview = await find(name, options)
  io.out(json ? `${JSON.stringify(overview)}\n` : overviewText(overview))
}

export async function status(name: string, options: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const overview = await find(name, options)
  io.out(json ? `${JSON.stringify(overview)}\n` : statusText(overview))
}

export async function why(name: string, options: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const overview = await find(name, options)
  const reasons = whyOf(overview)
  if (json) {
    io.out(`${JSON.stringify({ pipeline: name, state: overview.state, waits: reasons })}\n`)
    return
  }
  if (reasons.length === 0) io.out(`${name} is ${stateText(overview)} and waits for nothing\n`)
  for (const { who, cause, detail, since_ms: since } of reasons) {
    io.out(`${who}: ${detail} [${cause}]${since > 0 ? `, for ${spanText(since)}` : ''}\n`)
  }
}

const DONE = { pause: 'paused', resume: 'running' } as const

export async function tellTo(
  action: keyof typeof DONE,
  name: string,
  { dataDir }: DataDirOption,
  { io, json }: CommandContext,
): Promise<void> {
  const answer = await tell(keptPipeline(dataDirOf(dataDir), name), action, systemClock)
  io.out(json ? `${JSON.stringify({ pipeline: name, ...answer })}\n` : `${name}: ${DONE[action]}\n`)
}

/** Returns the exit code: 1 when it has not ended in time. */
export async function stop(
  name: string,
  { dataDir, timeout }: DataDirOption & { readonly timeout: string },
  { io, json }: CommandContext,
): Promise<number> {
  const timeoutMs = parseDuration(timeout)
  if (timeoutMs === undefined) {
    throw new HeadraceError('cli_usage', `--timeout: "${timeout}" is no duration`, { hint: 'write 30s, or 2m' })
  }
  const kept = keptPipeline(dataDirOf(dataDir), name)
  if (liveOwner(kept, systemClock) === undefined) {
    if (json) io.out(`${JSON.stringify({ pipeline: name, state: (await overviewOf(kept, systemClock)).state })}\n`)
    else io.err(`${name} does not run\n`)
    return 0
  }
  const isOver = await stopPipeline(kept, { clock: systemClock, timeoutMs, signal: io.signal })
  const { checkpoint } = await overviewOf(kept, systemClock)
  const state = isOver ? 'stopped' : 'stopping'
  if (json) io.out(`${JSON.stringify({ pipeline: name, state, checkpoint })}\n`)
  else if (!isOver) io.err(`${name}: still stopping after ${timeout}; headrace why ${name} tells what it waits for\n`)
  else io.out(`${name}: stopped${checkpoint === null ? '' : ` at epoch ${checkpoint.epoch}`}\n`)
  return isOver ? 0 : 1
}
