import { HeadraceError } from '../../core/errors.ts'
import { didYouMean } from '../../core/suggest.ts'
import type { Uri } from '../../core/uri.ts'
import type { NexmarkOptions } from './options.ts'
import { NexmarkModel } from './parts/model.ts'
import { TABLES, type Table } from './parts/tables.ts'

/** The table that `nexmark://<table>` names. */
export function tableOf(uri: Uri): Table {
  const name = uri.hosts[0]?.name ?? uri.path.join('/')
  const table = TABLES.find((known) => known === name)
  if (table !== undefined) return table
  throw new HeadraceError('connector_not_found', `nexmark has no table "${name}"`, {
    hint: didYouMean(name, TABLES) ?? `tables: ${TABLES.join(', ')}`,
  })
}

/** The generator of these options. */
export function modelOf(options: NexmarkOptions): NexmarkModel {
  if (options.out_of_order % 953 === 0) {
    throw new HeadraceError('connector_option_invalid', 'option "out_of_order" must have no common factor with 953')
  }
  return new NexmarkModel({
    seed: options.seed,
    startMicros: options.start,
    rate: options.rate,
    active: options.active,
    inFlight: options.in_flight,
    bidderBase: options.bidder_base,
    outOfOrder: options.out_of_order,
  })
}
