import type { Clock } from '../../core/clock.ts'
import { freshSeed } from '../../core/random.ts'
import type { Checksum } from '../../log/frame.ts'
import { isoOf } from './entry.ts'
import { COMMAND_LABEL } from './queue-folder.ts'
import { QueueLog } from './queue-log.ts'
import { type IndexedEntry, type QueueState, readQueue } from './queue-state.ts'
import { encodeRecord, KIND } from './records.ts'

/**
 * Removes entries, also while the pipeline runs: a log of its own names them. An entry that has failed again since it
 * was looked at stays. Gives their number.
 */
export async function purgeEntries(
  directory: string,
  how: {
    readonly select: (state: QueueState) => readonly IndexedEntry[]
    readonly checksum: Checksum
    readonly clock: Clock
  },
): Promise<number> {
  const { select, checksum, clock } = how
  const selected = select(readQueue(directory, checksum))
  if (selected.length === 0) return 0
  const stop = new AbortController()
  await using log = new QueueLog({
    directory,
    label: `${COMMAND_LABEL}-${freshSeed().toString(16)}`,
    meta: { format: 1, pipeline: '' },
    checksum,
    clock,
    signal: stop.signal,
    // A command does not wait for the disk.
    onWait: () => stop.abort(),
  })
  const at = isoOf(clock.nowMicros())
  for (const { id, seen } of selected) {
    const meant = { writer: seen.writer, sequence: String(seen.sequence) }
    log.append(KIND.change, encodeRecord({ id, at, to: 'purged', by: 'command', seen: meant }))
  }
  const upTo = String(log.nextSequence)
  await log.flush()
  log.append(KIND.commit, encodeRecord({ lineage: '', epoch: '0', writer: log.name!, upTo }))
  await log.flush()
  return selected.length
}
