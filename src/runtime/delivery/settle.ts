import type { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import type { LedOffsets } from '../../connectors/contract.ts'
import { HeadraceError } from '../../core/errors.ts'
import { type CycleSink, noReplay, preparedKey } from './cycle.ts'

/**
 * Brings every sink to the epoch of the snapshot that a start goes on from, before the first new row (delivery.md §5):
 * asks what it holds, commits the epoch unless it is there, and removes what was staged beyond it. A sink that holds more
 * than the snapshot blocks the start, because rows would be given twice, unless a user has said what to make of it.
 * Returns the highest epoch that a sink has heard of: no new one may have its number.
 */
export async function settle(
  sinks: readonly CycleSink[],
  checkpoint: StreamCheckpoint | undefined,
  of: {
    readonly incarnation: bigint
    readonly pipeline: string
    /** Every sink has committed the snapshot's epoch: one that knows nothing has been taken away since. */
    readonly isSettled?: boolean | undefined
    readonly resolution?: Resolved | undefined
    /** Where the sink leads: those of the snapshot. */
    readonly led?: LedOffsets | undefined
  },
): Promise<bigint> {
  const epoch = checkpoint?.epoch ?? 0n
  const held = new Map<string, bigint | undefined>()
  let highest = epoch
  for (const { part, sink } of sinks) {
    const ledger = await sink.ledger?.(of.incarnation)
    held.set(part, ledger?.epoch)
    const reached = ledger?.begun ?? ledger?.epoch ?? 0n
    if (reached > epoch && !isResolved(of.resolution, { held: reached, epoch })) {
      throw blocked(of.pipeline, { part, held: reached, epoch })
    }
    if (reached > highest) highest = reached
  }
  for (const { part, sink } of sinks) {
    const token = checkpoint?.operatorStates.get(preparedKey(part))
    const has = held.get(part) ?? 0n
    const isBehind = has < epoch && !(of.isSettled === true && has === 0n)
    if (token !== undefined && isBehind) await sink.commit?.(epoch, token, noReplay, of.led)
    await sink.restore?.(epoch, token)
  }
  return highest
}

/**
 * Behind the mark of the last epoch: of targets that nothing can be added to later, what a restart would need goes. What
 * is left where that fails is in nobody's way.
 */
export async function forgetAll(sinks: readonly CycleSink[], onFailure: (error: Error) => void): Promise<void> {
  for (const { part, sink } of sinks) {
    if (sink.replaces !== true) continue
    await sink.forget?.().catch((error: unknown) => {
      onFailure(new Error(`sink '${part}': ${(error as Error).message}`))
    })
  }
}

/** What a user has said of the epochs above that of the newest snapshot, up to the one that a sink holds. */
export interface Resolved {
  /** As decimal digits. */
  readonly held: string
  readonly epoch: string
}

const isResolved = (said: Resolved | undefined, found: { readonly held: bigint; readonly epoch: bigint }): boolean =>
  said !== undefined && BigInt(said.epoch) === found.epoch && BigInt(said.held) >= found.held

/** The epochs above that of a snapshot, up to one that is held: `epoch 8`, `epochs 8 to 10`. */
export const epochSpan = ({ held, epoch }: { readonly held: bigint; readonly epoch: bigint }): string =>
  held === epoch + 1n ? `epoch ${held}` : `epochs ${epoch + 1n} to ${held}`

const blocked = (
  pipeline: string,
  { part, held, epoch }: { readonly part: string; readonly held: bigint; readonly epoch: bigint },
): HeadraceError =>
  new HeadraceError(
    'connector_commit_ambiguous',
    `sink '${part}' has begun to hold epoch ${held}, and the newest usable checkpoint is of epoch ${epoch}`,
    {
      hint:
        'the checkpoints of the epochs between are lost or damaged: bring them back from a copy. Otherwise look whether ' +
        `the target holds the rows of ${epochSpan({ held, epoch })}, then say so: ` +
        `headrace pipelines resolve ${pipeline} --epoch ${held} --as committed (it holds them), ` +
        'or --as absent (it does not: they are read and written again)',
      details: { part, held: String(held), epoch: String(epoch) },
    },
  )
