import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of all golden files below a directory, sorted. */
export function findGoldens(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) return findGoldens(path)
      return entry.name.endsWith('.slt') ? [path] : []
    })
    .sort()
}
