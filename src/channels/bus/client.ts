import type { SharedState } from '../../connectors/contract.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { Row } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import type { Uri } from '../../core/uri.ts'
import { Bus, type BusTopic } from '../bus.ts'
import type { BusOptions } from './options.ts'

/** A topic of rows; its first writer fixes their schema. */
export interface RowTopic {
  readonly topic: BusTopic<Row>
  schema: Schema | undefined
}

/** The topic of `bus://topic`, `bus://datastreams/id`, `bus:topic`. */
export function topicName(uri: Uri): string {
  const name = [...uri.hosts.map((host) => host.name), ...uri.path].join('/')
  if (/^[\w.\-/]{1,256}$/.test(name)) return name
  throw new HeadraceError('connector_uri_invalid', `"${name}" is not a topic`, {
    hint: 'letters, digits, "_", ".", "-" and "/", at most 256',
  })
}

export const busOf = (shared: SharedState): Bus => shared.get('bus', () => new Bus())

/** The topic of that name in this instance, made on first use. */
export function topicOf(shared: SharedState, name: string, options?: BusOptions): RowTopic {
  return shared.get(`bus:${name}`, () => ({
    topic: busOf(shared).topic<Row>(name, {
      capacity: options?.buffer,
      policy: options?.slow,
      slowTimeoutMs: options?.slow_timeout,
      lagWarning: options?.lag_warning,
      maxSubscribers: options?.subscribers_max,
    }),
    schema: undefined,
  }))
}
