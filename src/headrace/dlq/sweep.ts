import { rmSync } from 'node:fs'
import { isCommand } from './queue-folder.ts'
import type { QueueState } from './queue-state.ts'

/**
 * Removes logs of which nothing is needed any more: from the oldest on, as long as none holds an entry. What is said of
 * an entry lies behind it, so nothing comes back. The last log of a run stays: it says which epoch is committed. Only
 * for whoever owns the pipeline.
 */
export function sweepQueue({ writers, entries }: QueueState): readonly string[] {
  const needed = new Set([...entries.values()].map(({ writer }) => writer.name))
  const last = writers.findLast((writer) => !isCommand(writer))?.name
  const removed: string[] = []
  for (const { name, directory } of writers) {
    if (needed.has(name) || name === last) break
    rmSync(directory, { recursive: true, force: true })
    removed.push(name)
  }
  return removed
}
