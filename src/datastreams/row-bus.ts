import { busOf, topicOf } from '../channels/bus/client.ts'
import type { SharedState } from '../connectors/contract.ts'
import { CHANGE } from '../core/change.ts'
import { field, type Schema, schema, types } from '../core/types.ts'
import { type FrameBus, type FrameMessage, refused } from './frame-bus.ts'

/** Columns of `bus://datastreams/<id>`. */
export const messageColumns: Schema = schema([
  field('stream_id', types.string, false),
  field('sequence', types.bigint, false),
  field('status', types.string, false),
  field('latency_ms', types.bigint, false),
  field('payload', types.json, false),
])

/** Topics of an instance, as SQL reads them: `bus://datastreams/<id>`. */
export class RowBus implements FrameBus {
  readonly #shared: SharedState

  constructor(shared: SharedState) {
    this.#shared = shared
  }

  heard(topic: string): boolean {
    return busOf(this.#shared).isHeard(topic)
  }

  async publish({ topic: name, body }: FrameMessage): Promise<void> {
    const rows = topicOf(this.#shared, name)
    rows.schema ??= messageColumns
    const { sequence } = body
    // Small integers are numbers wherever rows have values.
    const exact = sequence <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sequence) : sequence
    const values = [body.stream_id, exact, body.status, body.latency_ms, body.payload]
    await rows.topic.publish({ values, change: CHANGE.insert }).catch(refused)
  }
}
