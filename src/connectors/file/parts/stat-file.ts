import { type BigIntStats, statSync } from 'node:fs'

/** What is at a path, links followed; undefined when nothing is, or nothing that can be looked at. */
export function statOrNothing(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
