import type { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import { HeadraceError } from '../../core/errors.ts'
import { type CycleSink, noReplay, preparedKey } from './cycle.ts'

/**
 * Brings every sink to the epoch of the snapshot that a start goes on from, before the first new row (delivery.md §5):
 * asks what it holds, commits the epoch unless it is there, and removes what was staged beyond it. A sink that holds more
 * than the snapshot blocks the start: rows would be given twice.
 */
export async function settle(
  sinks: readonly CycleSink[],
  checkpoint: StreamCheckpoint | undefined,
  incarnation: bigint,
): Promise<void> {
  const epoch = checkpoint?.epoch ?? 0n
  const held = new Map<string, bigint | undefined>()
  for (const { part, sink } of sinks) {
    const ledger = await sink.ledger?.(incarnation)
    held.set(part, ledger?.epoch)
    const reached = ledger?.begun ?? ledger?.epoch ?? 0n
    if (reached > epoch) throw blocked(part, reached, epoch)
  }
  for (const { part, sink } of sinks) {
    const token = checkpoint?.operatorStates.get(preparedKey(part))
    const has = held.get(part)
    const isBehind = has === undefined || has < epoch
    if (token !== undefined && isBehind) await sink.commit?.(epoch, token, noReplay)
    await sink.restore?.(epoch, token)
  }
}

const blocked = (part: string, held: bigint, epoch: bigint): HeadraceError =>
  new HeadraceError(
    'connector_commit_ambiguous',
    `sink '${part}' has begun to hold epoch ${held}, and the newest usable checkpoint is of epoch ${epoch}`,
    {
      hint:
        'the checkpoints of the epochs between are lost or damaged: bring them back from a copy; ' +
        'going on without them would write their rows again',
      details: { part, held: String(held), epoch: String(epoch) },
    },
  )
