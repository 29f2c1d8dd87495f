import type { ConnectorContext } from '../connectors/contract.ts'
import type { Endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'

/** What a connector of this instance is opened with. */
export function connectorContext(
  engine: Engine,
  { uri, options }: Endpoint,
  place: { readonly baseDirectory: string; readonly pipeline?: string | undefined; readonly writer?: number },
): ConnectorContext {
  return {
    uri,
    options,
    pipeline: place.pipeline,
    writer: place.writer ?? 0,
    incarnation: 0n,
    clock: engine.clock,
    memory: engine.memory,
    kernels: engine.kernels,
    baseDirectory: place.baseDirectory,
    shared: engine.shared,
    signal: engine.signal,
  }
}
