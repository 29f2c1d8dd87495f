import { HeadraceError } from '../../core/errors.ts'
import type { Row } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import type { Uri } from '../../core/uri.ts'
import type { SharedState } from '../contract.ts'
import type { MemoryOptions } from './options.ts'
import { KeptRing } from './parts/kept-ring.ts'

/** An in-process channel: rows of one schema, which its first writer or declaration fixes. */
export interface Channel {
  readonly ring: KeptRing<Row>
  schema: Schema | undefined
}

/** The name of `memory://name`, `memory:name`, `channel://name`. */
export function channelName(uri: Uri): string {
  const name = uri.hosts[0]?.name ?? uri.path.join('/')
  if (!/^[A-Za-z0-9_.-]{1,128}$/.test(name)) {
    throw new HeadraceError('connector_uri_invalid', `"${name}" is not a channel name`, {
      hint: 'letters, digits, "_", "." and "-", at most 128',
    })
  }
  return name
}

/** The channel of that name in this instance, made on first use. */
export function channelOf(shared: SharedState, name: string, options?: MemoryOptions): Channel {
  return shared.get(`memory:${name}`, () => ({
    ring: new KeptRing<Row>({
      capacity: 2 ** Math.ceil(Math.log2(options?.capacity ?? 2048)),
      overflow: options?.overflow ?? 'block',
      retain: options?.retain === 'all' ? Number.POSITIVE_INFINITY : Number(options?.retain ?? 0),
    }),
    schema: undefined,
  }))
}

/** Names of the channels that a writer has opened for a changelog. */
export const revisingChannels = (shared: SharedState): Set<string> =>
  shared.get('memory, revising', () => new Set<string>())
