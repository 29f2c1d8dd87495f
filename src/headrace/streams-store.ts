import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { WorkerMemory } from '../core/memory.ts'
import { EmbeddedStore } from '../datastreams/embedded/embedded-store.ts'
import { MemoryStore } from '../datastreams/memory-store.ts'
import type { Store } from '../datastreams/store.ts'
import { Checksum } from '../kernels/crc32c.ts'
import { Kernels } from '../kernels/kernels.ts'

export interface StreamsStoreOptions {
  readonly durability?: 'commit' | 'relaxed' | undefined
  /** How long answers to idempotent requests are kept. */
  readonly idempotencyMs?: number | undefined
  readonly clock?: Clock | undefined
}

const MEMORY = new Set(['memory', 'memory:', 'memory://'])

/** The store of a URI, not open yet: `file:<folder>` or `memory:`. Throws `not_implemented` for others. */
export function streamsStore(uri: string, { durability, idempotencyMs, clock }: StreamsStoreOptions = {}): Store {
  if (MEMORY.has(uri)) return new MemoryStore({ idempotencyMs })
  const directory = folderOf(uri)
  if (directory === undefined) {
    throw new HeadraceError('not_implemented', `a store of streams in "${uri.split(':')[0]}:" is not built yet`, {
      hint: 'use file:<folder> or memory:',
    })
  }
  const checksum = new Checksum(new Kernels(new WorkerMemory()))
  return new EmbeddedStore({ directory, checksum, durability, idempotencyMs, clock })
}

function folderOf(uri: string): string | undefined {
  if (uri.startsWith('file://')) return fileURLToPath(uri)
  if (uri.startsWith('file:')) return resolve(uri.slice('file:'.length))
  return /^[a-z][a-z0-9+.-]*:/i.test(uri) ? undefined : resolve(uri)
}
