import { deepStrictEqual, ok, rejects } from 'node:assert/strict'
import { CheckpointError, type FailedOutcome } from '../checkpoint/error.ts'
import type { CheckpointStore, StoreOwner } from '../checkpoint/store.ts'
import type { StateBytes } from '../core/state-bytes.ts'

/** One empty place for snapshots; every `open` gives another instance over it. */
export interface StorePlace {
  open(): CheckpointStore
  remove(): Promise<void>
}

export interface StoreCase {
  readonly name: string
  run(place: StorePlace): Promise<void>
}

/** A body of `size` bytes that depends on `tag`, given in pieces of 1000. */
export function sampleBody(tag: number, size = 100): StateBytes {
  return {
    byteLength: size,
    *chunks() {
      const bytes = sampleBytes(tag, size)
      for (let at = 0; at < size; at += 1000) yield bytes.subarray(at, at + 1000)
    },
  }
}

export const sampleBytes = (tag: number, size = 100): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => tag * 7 + i)

/** A writer that has seen everything up to `after`. */
export const ownerAfter = (after: bigint, incarnation = 0n): StoreOwner => ({ after, incarnation })

/** The task is refused as fenced by checkpoint `id`. */
export async function refusedBy(id: bigint, task: Promise<unknown>, outcome: FailedOutcome = 'absent'): Promise<void> {
  await rejects(task, (error) => {
    ok(error instanceof CheckpointError)
    deepStrictEqual(error.detail, `fenced by a newer instance (checkpoint ${id})`)
    deepStrictEqual([error.class, error.exitCode, error.outcome], ['fenced', 4, outcome])
    return true
  })
}

const fill = async (store: CheckpointStore, ...ids: bigint[]): Promise<void> => {
  let after = 0n
  for (const id of ids) {
    await store.create(id, sampleBody(Number(id)), ownerAfter(after))
    after = id
  }
}

const idsOf = async (store: CheckpointStore): Promise<bigint[]> => (await store.list()).map(({ id }) => id)

const plain = (bytes: Uint8Array | undefined): number[] | undefined => (bytes === undefined ? undefined : [...bytes])

/** What every store of checkpoints shows (checkpoints.md §8), one case each. */
export const storeContract: readonly StoreCase[] = [
  {
    name: 'an empty place has no snapshot and no latest, and reading makes none',
    async run(place) {
      const store = place.open()
      deepStrictEqual(await store.list(), [])
      deepStrictEqual(await store.latest(), undefined)
      deepStrictEqual(await store.get(1n), undefined)
      deepStrictEqual(await store.isDone(1n), false)
    },
  },
  {
    name: 'what was created is read back, by others too',
    async run(place) {
      const store = place.open()
      await store.create(1n, sampleBody(1, 300_001), ownerAfter(0n))
      const bytes = await place.open().get(1n)
      ok(bytes !== undefined && Buffer.compare(bytes, sampleBytes(1, 300_001)) === 0)
      bytes.fill(0)
      ok(Buffer.compare((await store.get(1n))!, sampleBytes(1, 300_001)) === 0)
    },
  },
  {
    name: 'an id is created once',
    async run(place) {
      const store = place.open()
      await fill(store, 5n)
      await refusedBy(5n, store.create(5n, sampleBody(9), ownerAfter(0n)))
      await refusedBy(5n, place.open().create(5n, sampleBody(9), ownerAfter(4n)))
      deepStrictEqual(plain(await store.get(5n)), [...sampleBytes(5)])
    },
  },
  {
    name: 'an id below a higher one is refused and leaves nothing',
    async run(place) {
      const store = place.open()
      await fill(store, 7n)
      await refusedBy(7n, place.open().create(6n, sampleBody(6), ownerAfter(5n)))
      deepStrictEqual(await idsOf(store), [7n])
    },
  },
  {
    name: "somebody else's id between the last known and the wanted one is refused",
    async run(place) {
      const store = place.open()
      await fill(store, 5n, 6n)
      await refusedBy(6n, place.open().create(7n, sampleBody(7), ownerAfter(5n)))
      deepStrictEqual(await idsOf(store), [5n, 6n])
    },
  },
  {
    name: 'of many writers of one id, one succeeds',
    async run(place) {
      const writers = Array.from({ length: 8 }, (_, i) => place.open().create(1n, sampleBody(i), ownerAfter(0n)))
      const results = await Promise.allSettled(writers)
      deepStrictEqual(results.filter(({ status }) => status === 'fulfilled').length, 1)
      const winner = results.findIndex(({ status }) => status === 'fulfilled')
      deepStrictEqual(plain(await place.open().get(1n)), [...sampleBytes(winner)])
      for (const result of results) {
        if (result.status === 'rejected') await refusedBy(1n, Promise.reject(result.reason))
      }
    },
  },
  {
    name: 'of two writers that know the same past, at most one succeeds, whatever ids they take',
    async run(place) {
      await fill(place.open(), 1n)
      for (let round = 0, after = 1n; round < 20; round++) {
        const results = await Promise.allSettled([
          place.open().create(after + 1n, sampleBody(1), ownerAfter(after)),
          place.open().create(after + 2n, sampleBody(2), ownerAfter(after)),
        ])
        ok(results.filter(({ status }) => status === 'fulfilled').length <= 1, `round ${round}`)
        const entries = await place.open().list()
        const ids = entries.filter(({ snapshot }) => snapshot).map(({ id }) => id)
        for (const [i, result] of results.entries()) {
          const id = after + 1n + BigInt(i)
          if (result.status === 'fulfilled') ok(ids.includes(id), `round ${round}: ${id} is there`)
          else if ((result.reason as CheckpointError).outcome === 'absent') ok(!ids.includes(id), `${id} is absent`)
        }
        after = entries.at(-1)!.id
      }
    },
  },
  {
    name: 'ids are listed ascending, up to 2⁶⁴ − 1',
    async run(place) {
      const store = place.open()
      await fill(store, 9n, 10n, 2n ** 53n + 1n, 2n ** 64n - 1n)
      deepStrictEqual(await idsOf(place.open()), [9n, 10n, 2n ** 53n + 1n, 2n ** 64n - 1n])
      deepStrictEqual(plain(await store.get(2n ** 64n - 1n)), [...sampleBytes(Number(2n ** 64n - 1n))])
    },
  },
  {
    name: 'the latest is what was set last, and never moves back',
    async run(place) {
      const store = place.open()
      await fill(store, 1n, 2n, 3n)
      await store.setLatest(2n, ownerAfter(2n))
      deepStrictEqual(await place.open().latest(), 2n)
      await store.setLatest(3n, ownerAfter(3n))
      await store.setLatest(1n, ownerAfter(3n))
      deepStrictEqual(await place.open().latest(), 3n)
    },
  },
  {
    name: 'a done mark stays, may be repeated, and needs a snapshot',
    async run(place) {
      const store = place.open()
      await fill(store, 1n, 2n)
      await store.markDone(1n)
      await store.markDone(1n)
      deepStrictEqual([await place.open().isDone(1n), await place.open().isDone(2n)], [true, false])
      deepStrictEqual(await store.list(), [
        { id: 1n, snapshot: true, damaged: false, done: true },
        { id: 2n, snapshot: true, damaged: false, done: false },
      ])
      await rejects(store.markDone(3n), { kind: 'NoCheckpoint' })
      deepStrictEqual(await idsOf(store), [1n, 2n])
    },
  },
  {
    name: 'a rejected snapshot is put aside, and its id stays occupied',
    async run(place) {
      const store = place.open()
      await fill(store, 1n, 2n)
      await store.reject(2n)
      deepStrictEqual(await store.get(2n), undefined)
      deepStrictEqual(await place.open().list(), [
        { id: 1n, snapshot: true, damaged: false, done: false },
        { id: 2n, snapshot: false, damaged: true, done: false },
      ])
      await refusedBy(2n, store.create(2n, sampleBody(2), ownerAfter(1n)))
    },
  },
  {
    name: 'a removed id is not free, and the highest cannot be removed',
    async run(place) {
      const store = place.open()
      await fill(store, 1n, 2n, 3n)
      await store.markDone(1n)
      await store.reject(2n)
      await store.delete(1n)
      await store.delete(2n)
      deepStrictEqual(await place.open().list(), [{ id: 3n, snapshot: true, damaged: false, done: false }])
      await refusedBy(3n, store.create(1n, sampleBody(1), ownerAfter(0n)))
      await rejects(store.delete(3n), { detail: 'checkpoint 3 is the highest and cannot be removed' })
      ok((await store.get(3n)) !== undefined)
      await store.delete(1n)
    },
  },
  {
    name: 'a body that fails half-way leaves nothing',
    async run(place) {
      const store = place.open()
      const broken: StateBytes = {
        byteLength: 200,
        *chunks() {
          yield sampleBytes(1)
          throw new Error('no more')
        },
      }
      await rejects(store.create(1n, broken, ownerAfter(0n)), { kind: 'IoError', outcome: 'absent' })
      deepStrictEqual(await place.open().list(), [])
      await fill(store, 1n)
    },
  },
]
