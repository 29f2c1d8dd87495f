import { assert } from '../core/errors.ts'
import type { StateBytes } from '../core/state-bytes.ts'
import { type Choice, chooseCheckpoint } from './choice.ts'
import { type CheckpointForm, type Crc, encodeCheckpoint } from './encode.ts'
import { CheckpointError } from './error.ts'
import { type CheckpointMeta, encodeMeta, META_KEY } from './meta.ts'
import type { CheckpointStore, StoreOwner } from './store.ts'

export interface SnapshotsOptions {
  readonly store: CheckpointStore
  readonly pipeline: string
  readonly crc?: Crc | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly nowMs: () => number
  /** Epochs kept. */
  readonly retained: number
  /** A longer snapshot is refused; null: none is. */
  readonly bytesMax: number | null
}

/** An id and an epoch that are taken: neither is used again, whatever comes of it. */
export interface Pending {
  readonly id: bigint
  readonly epoch: bigint
}

/** Tries of a claim while others claim, too. */
const CLAIM_TRIES = 10

/**
 * The snapshots of one pipeline and the right to add to them. `claim` takes the next id, so that at most one instance
 * can ever complete that id; from then on whoever finds a foreign id is fenced (rulings 10–12).
 */
export class Snapshots {
  readonly #options: SnapshotsOptions
  #owner: StoreOwner = { incarnation: 0n, after: 0n }
  #claimId = 0n
  #nextId = 1n
  #nextEpoch = 1n
  /** The snapshot that the claim goes on from, kept until a newer one is done. */
  #base: bigint | undefined
  /** Snapshots of epochs that this instance knows, ascending. */
  #kept: bigint[] = []
  #newestDone: bigint | undefined
  /** The id that is being stored. */
  #creating: bigint | undefined
  /** Length of the last snapshot that was stored. */
  bytes = 0

  constructor(options: SnapshotsOptions) {
    this.#options = options
  }

  get uri(): string {
    return this.#options.store.uri
  }

  get incarnation(): bigint {
    return this.#owner.incarnation
  }

  choose(): Promise<Choice> {
    return chooseCheckpoint(this.#options.store, this.#options.pipeline)
  }

  /**
   * Takes the next id. When somebody else was faster, chooses again and asks `agree`, which throws when what is chosen
   * now is no longer what it accepted. Returns the choice that the claim goes on from.
   */
  async claim(
    choice: Choice,
    meta: (choice: Choice) => Omit<CheckpointMeta, 'format' | 'pipeline' | 'incarnation' | 'reason' | 'base'>,
    agree: (choice: Choice) => void,
  ): Promise<Choice> {
    let chosen = choice
    for (let tries = 1; ; tries++) {
      try {
        await this.#claimOnce(chosen, meta(chosen))
        return chosen
      } catch (error) {
        if (!isFenced(error) || tries === CLAIM_TRIES) throw error
        chosen = await this.choose()
        agree(chosen)
      }
    }
  }

  async #claimOnce(
    choice: Choice,
    meta: Omit<CheckpointMeta, 'format' | 'pipeline' | 'incarnation' | 'reason' | 'base'>,
  ): Promise<void> {
    const { store, pipeline, nowMs } = this.#options
    const { checkpoint, highest } = choice
    const incarnation = choice.incarnation + 1n
    const id = highest + 1n
    const epoch = checkpoint?.epoch ?? 0n
    const base = checkpoint === undefined ? null : String(checkpoint.id)
    const claim = { ...meta, format: 1, pipeline, incarnation: String(incarnation), reason: 'claim', base } as const
    await store.create(
      id,
      this.#encode({ id, epoch, createdAt: BigInt(nowMs()), operatorStates: new Map([[META_KEY, encodeMeta(claim)]]) }),
      { incarnation, after: highest },
    )
    this.#owner = { incarnation, after: id }
    this.#claimId = id
    this.#nextId = id + 1n
    this.#nextEpoch = epoch + 1n
    this.#base = checkpoint?.id
    this.#kept = checkpoint === undefined ? [] : [checkpoint.id]
    this.#newestDone = choice.done ? checkpoint?.id : undefined
    await store.sweep(incarnation)
    for (const { id: damaged } of choice.damaged) await store.reject(damaged)
  }

  #encode(form: Pick<CheckpointForm, 'id' | 'epoch' | 'createdAt'> & Partial<CheckpointForm>): StateBytes {
    const empty = new Map<string, bigint>()
    const whole = {
      sourceSequences: empty,
      sinkPositions: empty,
      watermarks: empty,
      operatorStates: new Map(),
      ...form,
    }
    return encodeCheckpoint(whole, this.#options.crc)
  }

  /** The id of somebody who has claimed the pipeline since: this instance must stop. */
  async fencedBy(): Promise<bigint | undefined> {
    const entries = await this.#options.store.list()
    return entries.find(({ id }) => id > this.#owner.after && id !== this.#creating)?.id
  }

  begin(): Pending {
    assert(this.#claimId > 0n, 'a checkpoint before the claim')
    return { id: this.#nextId++, epoch: this.#nextEpoch++ }
  }

  /** An id for a snapshot of an epoch that there is already. */
  nextId(): bigint {
    assert(this.#claimId > 0n, 'a checkpoint before the claim')
    return this.#nextId++
  }

  /** The next epoch is above this one: some sink has heard of it. */
  skipEpochs(to: bigint): void {
    if (to >= this.#nextEpoch) this.#nextEpoch = to + 1n
  }

  /** The bytes of a snapshot, checked by nobody; undefined when there are none. */
  async read(id: bigint): Promise<Uint8Array | undefined> {
    return await this.#options.store.get(id)
  }

  /** Stores a snapshot; durable when it resolves. The `outcome` of its error says whether it is provably absent. */
  async persist(pending: Pending, parts: Omit<CheckpointForm, 'id' | 'epoch' | 'createdAt'>): Promise<void> {
    const { store, nowMs, bytesMax } = this.#options
    const body = this.#encode({ ...parts, ...pending, createdAt: BigInt(nowMs()) })
    if (bytesMax !== null && body.byteLength > bytesMax) {
      throw new CheckpointError('IoError', `the checkpoint has ${body.byteLength} bytes, more than ${bytesMax}`, {
        like: 'connector_capacity',
        outcome: 'absent',
        hint: 'raise checkpoint.bytes_max, or keep less state: windows, state_ttl',
      })
    }
    this.#creating = pending.id
    await store.create(pending.id, body, this.#owner)
    this.#owner = { ...this.#owner, after: pending.id }
    this.bytes = body.byteLength
    this.#kept.push(pending.id)
    await store.setLatest(pending.id, this.#owner)
  }

  /** All sinks have committed the epoch of this snapshot. */
  async markDone(id: bigint): Promise<void> {
    await this.#options.store.markDone(id)
    if (this.#newestDone === undefined || id > this.#newestDone) this.#newestDone = id
  }

  /** Removes what is older than the kept epochs; never the newest done one, nor what the claim goes on from. */
  async prune(): Promise<bigint[]> {
    const { store, retained } = this.#options
    const done = this.#newestDone
    if (done === undefined) return []
    if (this.#base !== undefined && this.#base < done) this.#base = undefined
    const kept = this.#kept.slice(-retained)
    const lowest = least(kept[0] ?? done, done, this.#base ?? done)
    const removed: bigint[] = []
    for (const { id } of await store.list()) {
      if (id >= lowest) break
      await store.delete(id)
      removed.push(id)
    }
    this.#kept = this.#kept.filter((id) => id >= lowest)
    return removed
  }
}

const isFenced = (error: unknown): boolean => error instanceof CheckpointError && error.class === 'fenced'

const least = (...ids: readonly bigint[]): bigint => ids.toSorted((a, b) => (a < b ? -1 : 1))[0]!
