import { systemClock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { refuseRunning, tell } from '../../headrace/operate/control.ts'
import { keptPipeline } from '../../headrace/operate/kept-pipelines.ts'
import { type SnapshotPlace, snapshotPlace } from '../../headrace/operate/place.ts'
import { pruneStopped } from '../../headrace/operate/prune.ts'
import { type SnapshotFacts, snapshotFacts, snapshotLine } from '../../headrace/operate/snapshot-facts.ts'
import { type StoredSnapshot, storedSnapshots } from '../../headrace/operate/stored-snapshots.ts'
import { verifySnapshots } from '../../headrace/operate/verify.ts'
import { bytesText, columns, grouped } from '../columns.ts'
import type { CommandContext } from '../command.ts'
import type { DataDirOption } from '../data-dir.ts'
import { dataDirOf } from './places.ts'

export async function list(text: string, { dataDir }: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const place = snapshotPlace(dataDirOf(dataDir), text)
  const rows = [['ID', 'EPOCH', 'CREATED', 'SIZE', 'COMMITTED', 'REASON']]
  for await (const stored of storedSnapshots(place.store, place.kept?.name)) {
    const line = snapshotLine(stored)
    if (json) io.out(`${JSON.stringify(line)}\n`)
    else {
      const { id, epoch, created_at, bytes, done, reason, base, fault } = line
      const isClaim = reason === 'claim'
      const why = fault ?? (isClaim ? `claim of ${base ?? 'the beginning'}` : (reason ?? '–'))
      rows.push([id, epoch ?? '–', created_at ?? '–', bytesText(bytes), isClaim ? '–' : done ? 'yes' : 'no', why])
    }
  }
  if (json) return
  if (rows.length > 1) io.out(columns(rows))
  else io.err(`no checkpoint is stored in ${place.store.uri}\n`)
}

export async function show(
  text: string,
  id: string | undefined,
  { dataDir }: DataDirOption,
  { io, json }: CommandContext,
): Promise<void> {
  const place = snapshotPlace(dataDirOf(dataDir), text)
  const facts = snapshotFacts(await storedOf(place, id))
  io.out(json ? `${JSON.stringify(facts)}\n` : factsText(facts))
}

/** The snapshot of an id; without one the newest that is no claim. */
async function storedOf(place: SnapshotPlace, id: string | undefined): Promise<StoredSnapshot> {
  if (id !== undefined && !/^\d{1,20}$/.test(id)) {
    throw new HeadraceError('cli_usage', `"${id}" is no id of a checkpoint`, {
      hint: `headrace checkpoint list ${place.name}`,
    })
  }
  let found: StoredSnapshot | undefined
  for await (const stored of storedSnapshots(place.store)) {
    if (id === undefined ? stored.fault === undefined && stored.meta?.reason !== 'claim' : stored.id === BigInt(id)) {
      found = stored
    }
  }
  if (found !== undefined) return found
  const which = id === undefined ? 'no checkpoint' : `no checkpoint ${id}`
  throw new HeadraceError('checkpoint_no_checkpoint', `there is ${which} in ${place.store.uri}`, {
    hint: `headrace checkpoint list ${place.name}`,
  })
}

/** All that a snapshot holds. */
export function factsText(facts: SnapshotFacts): string {
  const meta = facts.meta as Readonly<Record<string, unknown>> | null
  const head = [
    ['checkpoint', facts.id],
    ['epoch', facts.epoch ?? '–'],
    ['created', facts.created_at ?? '–'],
    ['size', bytesText(facts.bytes)],
    ['committed', facts.done ? 'by all sinks' : 'not by all sinks'],
    ...(facts.fault === null ? [] : [['fault', facts.fault]]),
    ...['pipeline', 'reason', 'base', 'lineage', 'incarnation', 'plan_hash', 'engine', 'completed'].flatMap((key) =>
      meta?.[key] === undefined || meta[key] === null ? [] : [[key.replace('_', ' '), String(meta[key])]],
    ),
  ]
  const sources = facts.sources.flatMap((source) => [
    [
      `source ${source.name}`,
      `${grouped(Number(source.rows))} rows`,
      source.watermark === null ? '' : `watermark ${source.watermark}`,
      source.ended ? 'ended' : '',
    ],
    ...source.splits.map(({ split, offset, rows, finished }) => [
      `  ${split}`,
      `${grouped(rows)} rows`,
      offset ?? 'not begun',
      finished ? 'read to its end' : '',
    ]),
  ])
  const sinks = facts.sinks.map(({ name, rows, token_bytes: bytes }) => [
    `sink ${name}`,
    `${grouped(Number(rows))} rows`,
    `token ${bytesText(bytes)}`,
  ])
  const operators = facts.operators.map(({ id, bytes }) => [`operator ${id}`, bytesText(bytes)])
  return [head, sources, sinks, operators]
    .filter((rows) => rows.length > 0)
    .map(columns)
    .join('\n')
}

/** Returns the exit code: 0 only when everything can be used. */
export async function verify(text: string, { dataDir }: DataDirOption, { io, json }: CommandContext): Promise<number> {
  const { name, store, kept } = snapshotPlace(dataDirOf(dataDir), text)
  const { good, bytes, rejected } = await verifySnapshots({ store, pipeline: kept?.name, folder: kept?.folder })
  if (json) io.out(`${JSON.stringify({ place: name, good, bytes, rejected })}\n`)
  else {
    for (const one of rejected) io.out(`${one.name}: ${one.why}\n`)
    io.out(`${name}: ${good} good (${bytesText(bytes)}), ${rejected.length} rejected\n`)
  }
  return rejected.length === 0 ? 0 : 1
}

export async function trigger(name: string, { dataDir }: DataDirOption, { io, json }: CommandContext): Promise<void> {
  const answer = await tell(keptPipeline(dataDirOf(dataDir), name), 'checkpoint', systemClock)
  if (json) io.out(`${JSON.stringify({ pipeline: name, ...answer })}\n`)
  else io.out(`${name}: checkpoint ${answer['id']}, epoch ${answer['epoch']}, is committed\n`)
}

export async function prune(
  text: string,
  { dataDir, keep }: DataDirOption & { readonly keep: number },
  { io, json }: CommandContext,
): Promise<void> {
  const { name, store, kept } = snapshotPlace(dataDirOf(dataDir), text)
  if (keep < 1) throw new HeadraceError('cli_usage', '--keep is at least 1', { hint: 'the newest is never removed' })
  if (kept !== undefined) refuseRunning(kept, 'pruning (it prunes itself while it runs)', systemClock)
  const removed = (await pruneStopped(store, kept?.name, keep)).map(String)
  if (json) io.out(`${JSON.stringify({ place: name, removed })}\n`)
  else io.out(`${name}: ${removed.length === 0 ? 'nothing to remove' : `removed ${removed.join(', ')}`}\n`)
}
