import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HeadraceError } from '../../core/errors.ts'

/** A start that could not tell what a sink holds (delivery.md §8). */
export interface Blocked {
  /** The sink. */
  readonly part: string
  /** The epoch that it holds or has begun to hold. */
  readonly held: string
  /** The epoch of the newest usable snapshot. */
  readonly epoch: string
}

const fileOf = (folder: string): string => join(folder, 'blocked.json')

export function readBlocked(folder: string): Blocked | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder), 'utf8')) as Blocked
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

/** A start went on. */
export const noteUnblocked = (folder: string): void => rmSync(fileOf(folder), { force: true })

function replace(file: string, content: unknown): void {
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(content)}\n`)
  renameSync(`${file}.${process.pid}`, file)
}
