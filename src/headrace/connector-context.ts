import type { ConnectorContext } from '../connectors/contract.ts'
import type { Endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'

/** What a run with checkpoints is told apart by. */
export interface DurablePlace {
  readonly lineage: string
  readonly incarnation: bigint
}

/** What a connector of this instance is opened with. */
export function connectorContext(
  engine: Engine,
  { uri, options }: Endpoint,
  place: {
    readonly baseDirectory: string
    /** Absent where nothing is kept under it. */
    readonly part?: string
    readonly pipeline?: string | undefined
    readonly writer?: number
    readonly durable?: DurablePlace | undefined
  },
): ConnectorContext {
  return {
    uri,
    options,
    pipeline: place.pipeline,
    part: place.part ?? 'rows',
    writer: place.writer ?? 0,
    incarnation: place.durable?.incarnation ?? 0n,
    lineage: place.durable?.lineage,
    clock: engine.clock,
    memory: engine.memory,
    kernels: engine.kernels,
    baseDirectory: place.baseDirectory,
    shared: engine.shared,
    signal: engine.signal,
  }
}
