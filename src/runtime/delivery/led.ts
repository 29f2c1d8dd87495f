import type { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import type { LedOffsets, SinkLedger } from '../../connectors/contract.ts'
import type { SplitPosition } from '../drive/drive.ts'
import type { Graph } from '../graph/build.ts'
import type { SinkStage } from '../graph/sink-stage.ts'
import { decodeName, encodeName } from '../graph/stage.ts'
import type { CycleSink } from './cycle.ts'

/** By `<source>/<split>`: how far the rows go that a sink commits. */
export function ledOffsets(
  positions: Iterable<readonly [source: string, splits: ReadonlyMap<string, SplitPosition>]>,
): LedOffsets {
  const offsets = new Map<string, { offset: string; rows: bigint }>()
  for (const [source, splits] of positions) {
    for (const [split, { offset, rows }] of splits) {
      if (offset !== undefined) offsets.set(`${encodeName(source)}/${split}`, { offset, rows: BigInt(rows) })
    }
  }
  return offsets
}

/** Where the splits of a source go on behind what the sink holds; a split that has ended is found out by reading it. */
export function ledPositions(source: string, offsets: LedOffsets): Map<string, SplitPosition> {
  const positions = new Map<string, SplitPosition>()
  for (const [key, { offset, rows }] of offsets) {
    const slash = key.indexOf('/')
    if (decodeName(key.slice(0, slash)) !== source) continue
    positions.set(key.slice(slash + 1), { offset, rows: Number(rows), ended: false })
  }
  return positions
}

/** The numbers of what the sink holds, in a graph that has no state. */
export function restoreLed(
  { graph, sinks }: { readonly graph: Pick<Graph, 'origins'>; readonly sinks: readonly SinkStage[] },
  led: Led,
): void {
  for (const origin of graph.origins) {
    const positions = ledPositions(origin.node.id, led.offsets).values()
    origin.rows = positions.reduce((sum, { rows }) => sum + rows, 0)
    origin.ended = false
  }
  sinks[0]!.rows = Number(led.rows ?? 0n)
}

/**
 * The sink that leads is asked first: where it holds more than the newest snapshot, its offsets are gone on from, and
 * what it has staged beyond them is removed (delivery.md §6). Undefined: the snapshot is as new as the sink.
 */
export async function settleLed(
  { sink }: CycleSink,
  checkpoint: StreamCheckpoint | undefined,
  incarnation: bigint,
): Promise<Led | undefined> {
  const ledger = await sink.ledger?.(incarnation)
  if (ledger?.offsets === undefined || ledger.epoch <= (checkpoint?.epoch ?? 0n)) return undefined
  await sink.restore?.(ledger.epoch, undefined)
  return { ...ledger, offsets: ledger.offsets }
}

export type Led = SinkLedger & { readonly offsets: LedOffsets }
