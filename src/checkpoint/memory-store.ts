import type { StateBytes } from '../core/state-bytes.ts'
import { gather } from './encode.ts'
import { CheckpointError, fencedBy } from './error.ts'
import { type CheckpointStore, keepsHighest, type StoreEntry, type StoreOwner, storeFault } from './store.ts'

interface Held {
  bytes: Uint8Array | undefined
  damaged: boolean
  done: boolean
}

interface Shared {
  readonly entries: Map<bigint, Held>
  latest: bigint | undefined
}

/** Snapshots in the process; copies share them. */
export class MemoryStore implements CheckpointStore {
  readonly uri = 'memory:'
  readonly persistent = false
  readonly #shared: Shared

  constructor(shared: Shared = { entries: new Map(), latest: undefined }) {
    this.#shared = shared
  }

  /** Another store over the same snapshots. */
  copy(): MemoryStore {
    return new MemoryStore(this.#shared)
  }

  async create(id: bigint, body: StateBytes, owner: StoreOwner): Promise<void> {
    const { entries } = this.#shared
    const foreign = [...entries.keys()].find((other) => other >= id || other > owner.after)
    if (foreign !== undefined) throw fencedBy(foreign)
    let bytes: Uint8Array
    try {
      bytes = gather(body)
    } catch (error) {
      throw storeFault('store', `checkpoint ${id}`, error, 'absent')
    }
    entries.set(id, { bytes, damaged: false, done: false })
  }

  async get(id: bigint): Promise<Uint8Array | undefined> {
    const bytes = this.#shared.entries.get(id)?.bytes
    return bytes === undefined ? undefined : new Uint8Array(bytes)
  }

  async list(): Promise<StoreEntry[]> {
    return [...this.#shared.entries]
      .map(([id, { bytes, damaged, done }]) => ({ id, snapshot: bytes !== undefined, damaged, done }))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  async setLatest(id: bigint): Promise<void> {
    const { latest } = this.#shared
    if (latest === undefined || latest < id) this.#shared.latest = id
  }

  async latest(): Promise<bigint | undefined> {
    return this.#shared.latest
  }

  async markDone(id: bigint): Promise<void> {
    const held = this.#shared.entries.get(id)
    if (held?.bytes === undefined) throw new CheckpointError('NoCheckpoint')
    held.done = true
  }

  async isDone(id: bigint): Promise<boolean> {
    return this.#shared.entries.get(id)?.done ?? false
  }

  async reject(id: bigint): Promise<void> {
    const held = this.#shared.entries.get(id)
    if (held === undefined) return
    held.bytes = undefined
    held.damaged = true
  }

  async delete(id: bigint): Promise<void> {
    const { entries } = this.#shared
    if (![...entries.keys()].some((other) => other > id)) throw keepsHighest(id)
    entries.delete(id)
  }

  async sweep(): Promise<void> {}

  async close(): Promise<void> {}
}
