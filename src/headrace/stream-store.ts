import { resolve } from 'node:path'
import type { Clock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { WorkerMemory } from '../core/memory.ts'
import { EmbeddedStore } from '../datastreams/embedded/embedded-store.ts'
import { MemoryStore } from '../datastreams/memory-store.ts'
import type { Store } from '../datastreams/store.ts'
import { Checksum } from '../kernels/crc32c.ts'
import { Kernels } from '../kernels/kernels.ts'

export interface StreamStoreOptions {
  /** `commit` (default): an answer comes after the flush. `relaxed`: after the write, the flush 50 ms later. */
  readonly durability?: 'commit' | 'relaxed' | undefined
  /** How long answers to idempotent requests are kept; default 24. */
  readonly idempotencyHours?: number | undefined
  readonly clock?: Clock | undefined
}

const HOUR_MS = 3_600_000

/**
 * The store of a URI: `memory:`, or `file:<folder>` (relative to the working directory). It is opened by the start of its
 * service.
 */
export function streamStore(uri: string, options: StreamStoreOptions = {}): Store {
  const { idempotencyHours = 24, durability, clock } = options
  const idempotencyMs = idempotencyHours * HOUR_MS
  if (uri === 'memory:') return new MemoryStore({ idempotencyMs })
  if (/^postgres(ql)?:/.test(uri)) {
    throw new HeadraceError('not_implemented', 'streams are not kept in PostgreSQL yet', {
      hint: "use 'file:<folder>' or 'memory:'",
    })
  }
  const folder = /^file:(?:\/\/)?(.+)$/.exec(uri)?.[1]
  if (folder === undefined) {
    throw new HeadraceError('connector_uri_invalid', `"${uri}" is no store of streams`, {
      hint: "use 'file:<folder>' or 'memory:'",
    })
  }
  const checksum = new Checksum(new Kernels(new WorkerMemory()))
  return new EmbeddedStore({ directory: resolve(folder), checksum, idempotencyMs, durability, clock })
}
