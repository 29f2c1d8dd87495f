import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HeadraceError } from '../../core/errors.ts'
import { syncDirectory, systemFiles, writeSynced } from '../../core/system-files.ts'
import { epochSpan } from '../../runtime/delivery/settle.ts'

/** A start that could not tell what a sink holds (delivery.md §8). */
export interface Blocked {
  /** The sink. */
  readonly part: string
  /** The epoch that it holds or has begun to hold. */
  readonly held: string
  /** The epoch of the newest usable snapshot. */
  readonly epoch: string
}

/** What a user has said of the epochs above the newest snapshot; the next start goes by it. */
export interface Resolution extends Omit<Blocked, 'part'> {
  /** `committed`: the target holds their rows. `absent`: it does not. */
  readonly as: 'committed' | 'absent'
}

const fileOf = (folder: string): string => join(folder, 'blocked.json')
const resolutionOf = (folder: string): string => join(folder, 'resolution.json')

export const readBlocked = (folder: string): Blocked | undefined => readJson<Blocked>(fileOf(folder))
export const readResolution = (folder: string): Resolution | undefined => readJson<Resolution>(resolutionOf(folder))

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Notes what blocked a start, so that commands can tell it and take the choice of a user. */
export function noteBlocked(folder: string, error: unknown): void {
  if (!(error instanceof HeadraceError) || error.code !== 'connector_commit_ambiguous') return
  const { part, held, epoch } = (error.details ?? {}) as Partial<Blocked>
  if (part === undefined || held === undefined || epoch === undefined) return
  replace(fileOf(folder), { part, held, epoch })
}

/** Takes the choice of a user for what blocked the last start; throws when that was something else. */
export async function resolveBlocked(
  folder: string,
  of: { readonly pipeline: string; readonly epoch: bigint; readonly as: Resolution['as'] },
): Promise<Resolution> {
  const { pipeline, epoch, as } = of
  const blocked = readBlocked(folder)
  if (blocked === undefined) {
    throw new HeadraceError('cli_usage', `the last start of "${pipeline}" was not blocked`, {
      hint: `headrace why ${pipeline}`,
    })
  }
  if (BigInt(blocked.held) !== epoch) {
    throw new HeadraceError('cli_usage', `"${pipeline}" is blocked at epoch ${blocked.held}, not ${epoch}`, {
      hint: `look at the target, then: headrace pipelines resolve ${pipeline} --epoch ${blocked.held} --as ${as}`,
    })
  }
  const resolution = { held: blocked.held, epoch: blocked.epoch, as }
  await replaceDurably(resolutionOf(folder), resolution)
  noteUnblocked(folder)
  return resolution
}

/** The rows that are spoken of. */
export const rowsOf = ({ held, epoch }: Resolution): string =>
  `rows of ${epochSpan({ held: BigInt(held), epoch: BigInt(epoch) })}`

/** What a start that goes by a user's word says. */
export function resolutionNotes(said: Resolution | undefined, newest: bigint): readonly string[] {
  if (said === undefined || BigInt(said.epoch) !== newest) return []
  const rows = rowsOf(said)
  return [said.as === 'absent' ? `the ${rows} are given again` : `the ${rows} were said to be in the target`]
}

async function replaceDurably(file: string, content: unknown): Promise<void> {
  const temp = `${file}.${process.pid}`
  rmSync(temp, { force: true })
  await writeSynced(systemFiles, temp, [Buffer.from(`${JSON.stringify(content)}\n`)])
  renameSync(temp, file)
  await syncDirectory(systemFiles, dirname(file))
}

/** A start went on. */
export const noteUnblocked = (folder: string): void => rmSync(fileOf(folder), { force: true })

function replace(file: string, content: unknown): void {
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(content)}\n`)
  renameSync(`${file}.${process.pid}`, file)
}
