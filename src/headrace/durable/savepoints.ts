import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of savepoints inside a state folder. */
export const SAVEPOINTS = 'savepoints'
const SAVEPOINT = /^([^.].*)\.ckpt$/

export function savepointNames(folder: string): readonly string[] {
  try {
    return readdirSync(join(folder, SAVEPOINTS))
      .flatMap((file) => SAVEPOINT.exec(file)?.[1] ?? [])
      .sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
