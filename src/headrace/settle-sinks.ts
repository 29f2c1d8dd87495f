import { ledOffsetsOf } from '../runtime/delivery/cut.ts'
import type { CycleSink } from '../runtime/delivery/cycle.ts'
import { type Led, settleLed } from '../runtime/delivery/led.ts'
import { settle } from '../runtime/delivery/settle.ts'
import type { Durable } from './durable/start.ts'

/**
 * Brings the sinks to one epoch before the first new row, by what leads. Gives what the sink that leads holds where that
 * is more than the snapshot: its offsets are gone on from.
 */
export async function settleSinks(
  sinks: readonly CycleSink[],
  { restored, isSettled, snapshots, resolution }: Pick<Durable, 'restored' | 'isSettled' | 'snapshots' | 'resolution'>,
  of: { readonly pipeline: string; readonly sinkLed: boolean; readonly sources: readonly string[] },
): Promise<Led | undefined> {
  const { incarnation } = snapshots
  const { pipeline, sinkLed, sources } = of
  const led = sinkLed ? await settleLed(sinks[0]!, restored, incarnation) : undefined
  const offsets = sinkLed && restored !== undefined ? ledOffsetsOf(restored, sources) : undefined
  const form = { incarnation, pipeline, resolution, isSettled, led: offsets }
  snapshots.skipEpochs(led === undefined ? await settle(sinks, restored, form) : led.epoch)
  return led
}
