import { parse } from 'node:path'
import { systemClock } from '../../core/clock.ts'
import { deleteSavepoint } from '../../headrace/durable/savepoints.ts'
import { type KeptPipeline, keptPipeline } from '../../headrace/operate/kept-pipelines.ts'
import {
  createSavepoint,
  exportSavepoint,
  importSavepoint,
  savepointOf,
  savepointsOf,
} from '../../headrace/operate/savepoint.ts'
import { snapshotFacts } from '../../headrace/operate/snapshot-facts.ts'
import { bytesText, columns } from '../columns.ts'
import type { CommandContext } from '../command.ts'
import type { DataDirOption } from '../data-dir.ts'
import { factsText } from './checkpoints.ts'
import { dataDirOf } from './places.ts'

interface Named {
  readonly pipeline: string
  readonly name: string
}

const find = (pipeline: string, { dataDir }: DataDirOption): KeptPipeline => keptPipeline(dataDirOf(dataDir), pipeline)

export async function create(of: Named, options: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const made = await createSavepoint(find(of.pipeline, options), of.name, systemClock)
  if (json) io.out(`${JSON.stringify({ pipeline: of.pipeline, ...made })}\n`)
  else io.out(`${of.pipeline}: savepoint ${made.name} holds checkpoint ${made.id}, epoch ${made.epoch}\n`)
}

export async function list(pipeline: string, options: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const lines = await savepointsOf(find(pipeline, options))
  if (json) {
    for (const line of lines) io.out(`${JSON.stringify(line)}\n`)
    return
  }
  if (lines.length === 0) {
    io.err(`${pipeline} has no savepoints\n`)
    return
  }
  const rows = lines.map(({ name, epoch, created_at, bytes, fault }) => [
    name,
    epoch ?? '–',
    created_at ?? '–',
    bytesText(bytes),
    fault ?? '',
  ])
  io.out(columns([['NAME', 'EPOCH', 'CREATED', 'SIZE', ''], ...rows]))
}

export async function show(of: Named, options: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const facts = snapshotFacts(await savepointOf(find(of.pipeline, options), of.name))
  io.out(json ? `${JSON.stringify({ name: of.name, ...facts })}\n` : `savepoint ${of.name}\n${factsText(facts)}`)
}

export async function remove(of: Named, options: DataDirOption, { io, json }: CommandContext): Promise<void> {
  await deleteSavepoint(find(of.pipeline, options).folder, of.name)
  io.out(json ? `${JSON.stringify({ ...of, deleted: true })}\n` : `${of.pipeline}: deleted savepoint ${of.name}\n`)
}

export async function exportTo(
  of: Named & { readonly file: string },
  options: DataDirOption,
  { io, json }: CommandContext,
): Promise<void> {
  const bytes = await exportSavepoint(find(of.pipeline, options), of.name, of.file)
  io.out(json ? `${JSON.stringify({ ...of, bytes })}\n` : `wrote ${of.file} (${bytesText(bytes)})\n`)
}

export async function importFrom(
  of: { readonly pipeline: string; readonly file: string },
  options: DataDirOption & { readonly name?: string },
  { io, json }: CommandContext,
): Promise<void> {
  const { pipeline, file } = of
  const name = options.name ?? parse(file).name
  const made = await importSavepoint(dataDirOf(options.dataDir), file, { pipeline, name })
  if (json) io.out(`${JSON.stringify({ pipeline, ...made })}\n`)
  else io.out(`${pipeline}: savepoint ${name} holds epoch ${made.epoch}; start from it: headrace run --from ${name}\n`)
}
