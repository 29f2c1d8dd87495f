import type { Connector } from '../contract.ts'
import { blackholeOptions } from './options.ts'
import { BlackholeSink } from './sink.ts'

export const blackhole: Connector = {
  name: 'blackhole',
  schemes: ['blackhole'],
  summary: 'Takes every row, counts and hashes them.',
  options: blackholeOptions,
  capabilities: {
    sink: { delivery: 'transactional', stage: 'none', ledger: 'epoch', accepts: 'changelog' },
  },
  // In this process: there is nothing to reach.
  probe: async () => [],
  openSink: async (context) => new BlackholeSink(context),
}
