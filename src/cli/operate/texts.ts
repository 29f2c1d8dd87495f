import type { PipelineOverview } from '../../headrace/operate/overview.ts'
import type { RunStatus } from '../../headrace/run-control.ts'
import { bytesText, columns, grouped, spanText } from '../columns.ts'

/** The state of a pipeline, and who runs it. */
export function stateText({ state, owner }: PipelineOverview): string {
  if (owner === null) return state
  return `${state} (process ${owner.pid}${owner.host === localHost() ? '' : ` on ${owner.host}`})`
}

const localHost = (): string => process.getBuiltinModule('node:os').hostname()

/** Everything that is kept of a pipeline. */
export function overviewText(overview: PipelineOverview): string {
  const { name, owner, script, folder, lineage, savepoints, faults, run } = overview
  return columns([
    ['pipeline', name],
    ['state', stateText(overview)],
    ...(owner === null ? [] : [['since', owner.since]]),
    ['script', script ?? '–'],
    ['folder', folder],
    ['lineage', lineage ?? '–'],
    ['checkpoint', checkpointText(overview)],
    ['savepoints', savepoints.length === 0 ? 'none' : savepoints.join(', ')],
    ...(run?.guarantees ?? []).map(({ source, sink, level }) => ['guarantee', `${source} → ${sink}: ${level}`]),
    ...blockedRows(overview),
    ...faults.map((fault) => ['fault', fault]),
  ])
}

function checkpointText({ checkpoint }: PipelineOverview): string {
  if (checkpoint === null) return 'none'
  const { id, epoch, created_at, age_ms, bytes, done } = checkpoint
  const state = done ? 'committed' : 'not committed everywhere'
  return `${id}, epoch ${epoch}, ${created_at} (${spanText(age_ms)} ago), ${bytesText(bytes)}, ${state}`
}

const blockedRows = ({ blocked }: PipelineOverview): string[][] =>
  blocked === null
    ? []
    : [['blocked', `sink '${blocked.part}' holds epoch ${blocked.held}, the newest checkpoint is of ${blocked.epoch}`]]

/** What a pipeline does, or what it had done when it ended. */
export function statusText(overview: PipelineOverview): string {
  const { name, run } = overview
  const head = [
    ['pipeline', name],
    ['state', stateText(overview)],
  ]
  if (run === null) return columns([...head, ['checkpoint', checkpointText(overview)], ...blockedRows(overview)])
  return columns([...head, ...runRows(run)])
}

function runRows(run: RunStatus): string[][] {
  const { checkpoint: last } = run
  const letters = Object.entries(run.dead_letters)
  const age = last.age_ms === null ? 'none since its start' : `${spanText(last.age_ms)} ago`
  const lasted = last.last_ms === null ? '' : `, took ${spanText(last.last_ms)} (p95 ${spanText(last.p95_ms!)})`
  const next = last.next_ms === null ? '' : `, next in ${spanText(last.next_ms)}`
  return [
    ['started', `${run.started}, start number ${run.incarnation} of lineage ${run.lineage}`],
    ['in', `${grouped(run.rows_in)} rows`],
    ...run.rows_out.map(({ target, rows }) => ['out', `${grouped(rows)} rows → ${target}`]),
    ...(run.late_rows > 0 ? [['late', `${grouped(run.late_rows)} rows`]] : []),
    ...letters.map(([code, count]) => ['dead letters', `${grouped(count)} ${code}`]),
    ['checkpoint', `epoch ${last.epoch}, ${age}${lasted}, ${bytesText(last.bytes)}${next}`],
    ...(last.phase === 'idle' ? [] : [['phase', last.phase]]),
    ...Object.entries(last.failures).map(([phase, count]) => ['failed', `${count} in ${phase}`]),
    ...run.waits.map(({ who, detail }) => ['waits', `${who}: ${detail}`]),
  ]
}
