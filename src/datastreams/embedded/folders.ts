import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LogFiles } from '../../log/log-files.ts'

/** A folder, and the names of all that had to be made for it, on disk. */
export function makeDurableFolder(path: string, files: LogFiles): void {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; ; made = dirname(made)) {
    files.syncDirectory(dirname(made))
    if (made === first || dirname(made) === made) return
  }
}
