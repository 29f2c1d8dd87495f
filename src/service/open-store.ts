import { HeadraceError } from '../core/errors.ts'
import { MemoryStore } from '../datastreams/memory-store.ts'
import type { Store } from '../datastreams/store.ts'
import type { Settings } from './config/spec.ts'

const HOUR_MS = 3_600_000

/** The store that the settings name; it is not open yet. Throws `config_invalid`, `not_implemented`. */
export async function openStore(settings: Settings): Promise<Store> {
  const uri = settings['streams.store'] ?? `file:${settings.data_dir}/streams`
  const idempotencyMs = settings['streams.idempotency_hours'] * HOUR_MS
  if (uri === 'memory:' || uri === 'memory://') return new MemoryStore({ idempotencyMs })
  throw new HeadraceError('not_implemented', `streams.store: "${uri}" is not built yet`, { hint: 'use memory:' })
}
