import { systemClock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { parseDuration } from '../../core/option-text.ts'
import { didYouMean } from '../../core/suggest.ts'
import { queueFolder, queuesOf } from '../../headrace/dlq/queue-folder.ts'
import type { EntryFilter } from '../../headrace/dlq/select.ts'
import { dataDirectory } from '../../headrace/durable/state-folder.ts'
import { keptPipeline } from '../../headrace/operate/kept-pipelines.ts'
import type { DlqFilter } from './options.ts'

export interface QueuePlace {
  readonly pipeline: string
  readonly directory: string
}

export const dataDirOf = (given: string | undefined): string => dataDirectory(given, process.env, process.cwd())

/** The queues that are meant: of one pipeline, or all there are. */
export function placesOf({ dataDir, pipeline }: Pick<DlqFilter, 'dataDir' | 'pipeline'>): readonly QueuePlace[] {
  const root = dataDirOf(dataDir)
  const names = queuesOf(root)
  if (pipeline !== undefined && !names.includes(pipeline)) refuseUnknown(pipeline, names, root)
  const meant = pipeline === undefined ? names : names.filter((name) => name === pipeline)
  return meant.map((name) => ({ pipeline: name, directory: queueFolder(root, name) }))
}

/** A pipeline without dead letters has no queue; one that nobody has heard of is a mistake. */
function refuseUnknown(pipeline: string, names: readonly string[], dataDir: string): void {
  const near = didYouMean(pipeline, names)
  if (near === undefined) keptPipeline(dataDir, pipeline)
  else throw new HeadraceError('cli_usage', `"${pipeline}" has no dead letters in "${dataDir}"`, { hint: near })
}

export function filterOf({ category, code, state, stage, since, until }: DlqFilter): EntryFilter {
  return { category, code, state, stage, sinceMs: timeOf('--since', since), untilMs: timeOf('--until', until) }
}

/** An instant, or how long ago it was; milliseconds. */
export function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ago = parseDuration(text)
  const ms = ago === undefined ? Date.parse(text) : systemClock.nowMicros() / 1000 - ago
  if (!Number.isNaN(ms)) return ms
  throw new HeadraceError('cli_usage', `${option}: "${text}" is no time`, {
    hint: 'write 2026-01-31T10:00:00Z, or 2h for two hours ago',
  })
}
