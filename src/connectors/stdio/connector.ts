import type { Connector } from '../contract.ts'
import { stdioOptions } from './options.ts'
import { discoverStdin } from './parts/discover.ts'
import { StdioSink } from './sink.ts'
import { StdinSource } from './source.ts'

export const stdio: Connector = {
  name: 'stdio',
  schemes: ['stdin', 'stdout', 'stderr'],
  summary: 'Standard input, output and error.',
  options: stdioOptions,
  capabilities: {
    source: {
      resume: 'none',
      retention: 'until-ack',
      order: 'total',
      changes: 'append',
      bounded: 'always',
      pushdown: 'columns',
    },
    sink: { delivery: 'at-least-once', stage: 'none', ledger: 'none', accepts: 'changelog' },
  },
  bounded: () => true,
  discover: discoverStdin,
  openSource: async (context) => new StdinSource(context),
  // In this process: there is nothing to reach.
  probe: async () => [],
  openSink: async (context) => new StdioSink(context),
}
