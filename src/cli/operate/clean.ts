import { systemClock } from '../../core/clock.ts'
import { type Cleaning, clean, cleaningOf } from '../../headrace/operate/clean.ts'
import { type KeptPipeline, keptPipeline, keptPipelines } from '../../headrace/operate/kept-pipelines.ts'
import { liveOwner } from '../../headrace/operate/live-owner.ts'
import { bytesText, columns } from '../columns.ts'
import type { CommandContext } from '../command.ts'
import type { DataDirOption } from '../data-dir.ts'
import { dataDirOf } from './places.ts'

export interface CleanOptions extends DataDirOption {
  readonly yes?: boolean
}

export async function cleanUp(
  pipeline: string | undefined,
  { dataDir, yes = false }: CleanOptions,
  { io, json }: CommandContext,
): Promise<void> {
  const place = dataDirOf(dataDir)
  const meant = pipeline === undefined ? idle(place, io.err) : [keptPipeline(place, pipeline)]
  if (meant.length === 0 && !json) io.err(`nothing to delete in "${place}"\n`)
  for (const kept of meant) {
    const cleaning = await cleaningOf(kept, process.cwd(), systemClock)
    if (yes) clean(cleaning)
    io.out(json ? `${JSON.stringify({ ...cleaning, deleted: yes })}\n` : textOf(cleaning, yes))
  }
  if (meant.length > 0 && !yes && !json) io.err('nothing was deleted: --yes deletes it\n')
}

/** Pipelines that do not run; of the others it is said that they stay. */
function idle(place: string, say: (text: string) => void): readonly KeptPipeline[] {
  return keptPipelines(place).filter((kept) => {
    const owner = liveOwner(kept, systemClock)
    if (owner !== undefined) say(`${kept.name} is run by process ${owner.pid} on ${owner.host}: it stays\n`)
    return owner === undefined
  })
}

const KINDS = { state: 'state folder', snapshots: 'checkpoints', staged: 'staged file' } as const

const textOf = ({ pipeline, items, losses }: Cleaning, isDeleted: boolean): string =>
  [
    `${pipeline}: ${isDeleted ? 'deleted' : 'would delete'}\n`,
    columns(items.map(({ path, kind, bytes }) => [`  ${path}`, KINDS[kind], bytesText(bytes)])),
    ...losses.map((loss) => `  with it ${isDeleted ? 'went' : 'go'} ${loss}\n`),
  ].join('')
