import { chainOptions } from '../../chain/options.ts'
import { busOptions } from '../../channels/bus/options.ts'
import { instanceOptions } from '../../channels/instance/options.ts'
import { blackholeOptions } from '../../connectors/blackhole/options.ts'
import type { Connector } from '../../connectors/contract.ts'
import { datagenOptions } from '../../connectors/datagen/options.ts'
import { fileOptions } from '../../connectors/file/options.ts'
import { memoryOptions } from '../../connectors/memory/options.ts'
import { nexmarkOptions } from '../../connectors/nexmark/options.ts'
import { stdioOptions } from '../../connectors/stdio/options.ts'
import { assert } from '../../core/errors.ts'
import type { OptionSpec } from '../../core/option-types.ts'
import { streamOptions } from '../../datastreams/stream/options.ts'
import { connectors } from '../catalogue.ts'

/** What is known of a connector before it is loaded: its URIs and options are checked without it. */
export interface ConnectorSpec {
  readonly name: string
  readonly options: OptionSpec
  readonly sources: readonly string[]
  readonly sinks: readonly string[]
  readonly load: () => Promise<Connector>
}

/** By connector: its options, and the schemes that can be read and written. */
export const builtInOptions = {
  blackhole: { options: blackholeOptions, sources: [], sinks: ['blackhole'] },
  bus: { options: busOptions, sources: ['bus'], sinks: ['bus'] },
  chain: {
    options: chainOptions,
    sources: ['chain+file', 'chain+http', 'chain+https', 'chain+memory', 'chain+ws', 'chain+wss'],
    sinks: [],
  },
  datagen: { options: datagenOptions, sources: ['datagen'], sinks: [] },
  file: { options: fileOptions, sources: ['file'], sinks: ['file'] },
  instance: { options: instanceOptions, sources: ['instance'], sinks: ['instance'] },
  memory: { options: memoryOptions, sources: ['channel', 'memory'], sinks: ['channel', 'memory'] },
  nexmark: { options: nexmarkOptions, sources: ['nexmark'], sinks: [] },
  stdio: { options: stdioOptions, sources: ['stdin'], sinks: ['stderr', 'stdout'] },
  stream: { options: streamOptions, sources: ['stream', 'streams+https'], sinks: ['stream', 'streams+https'] },
} as const satisfies Record<string, Pick<ConnectorSpec, 'options' | 'sources' | 'sinks'>>

export const builtInSpecs: readonly ConnectorSpec[] = connectors.map(({ name, load }) => {
  const known = builtInOptions[name as keyof typeof builtInOptions]
  assert(known !== undefined, `the connector ${name} has no options here`)
  return { name, load, ...known }
})

/** Of a connector that somebody else wrote. */
export function specOf(connector: Connector): ConnectorSpec {
  const { name, schemes, options, capabilities } = connector
  return {
    name,
    options,
    sources: capabilities.source === undefined ? [] : schemes,
    sinks: capabilities.sink === undefined ? [] : schemes,
    load: () => Promise.resolve(connector),
  }
}
