import { deepStrictEqual, ok } from 'node:assert/strict'
import { Uuid7 } from '../core/uuid7.ts'
import type { ApiKey } from '../datastreams/api-keys.ts'
import type { FrameFields } from '../datastreams/frame.ts'
import type { Append, Appended, Store, StreamNews } from '../datastreams/store.ts'
import { STREAM_DEFAULTS, type Stream } from '../datastreams/stream.ts'

/** One empty place for streams. */
export interface StreamsPlace {
  /** Gives a store that is ready; again, after the one before was closed: what it held is there. */
  open(): Promise<Store>
  /** It holds nothing beyond its closing. */
  readonly forgets?: boolean | undefined
}

export interface StreamsCase {
  readonly name: string
  run(place: StreamsPlace): Promise<void>
}

const START = 1_767_225_600_000
const ids = new Uuid7(() => START)

export const sampleStream = (fields: Partial<Stream> = {}): Stream => ({
  ...STREAM_DEFAULTS,
  name: 'feed',
  symbol: 'FEED',
  status: 'active',
  id: ids.next(),
  accountId: 'a',
  frequencyMs: null,
  contentType: 'application/json',
  createdAt: START,
  updatedAt: START,
  version: 1,
  ...fields,
})

export const sampleFields = (sequence: bigint | undefined, fields: Partial<FrameFields> = {}): FrameFields => ({
  sequence,
  payload: `{"n":${sequence}}`,
  latencyMs: 5,
  status: 'ok',
  metadata: {},
  observedAt: undefined,
  traceparent: undefined,
  ...fields,
})

export const sampleAppend = (
  streamId: string,
  sequences: readonly (bigint | undefined)[],
  fields: Partial<Append> = {},
): Append => ({
  streamId,
  frames: sequences.map((sequence) => ({ fields: sampleFields(sequence), receivedAt: START })),
  atomic: false,
  ...fields,
})

const kinds = (results: readonly (readonly Appended[])[]): string[] => results.flat().map(({ kind }) => kind)

async function positions(store: Store, streamId: string): Promise<bigint[]> {
  const frames = await store.listFrames({ streamId, by: 'position', order: 'asc', limit: 500 })
  return frames.map(({ position }) => position)
}

const reopened = async (place: StreamsPlace, store: Store): Promise<Store> => {
  if (place.forgets === true) return store
  await store.close()
  return await place.open()
}

/** What every store of streams shows (streams-service.md §9), one case each. */
export const streamsContract: readonly StreamsCase[] = [
  {
    name: 'streams are kept, changed to the version that was seen, listed newest first',
    async run(place) {
      let store = await place.open()
      const [one, two] = [
        sampleStream({ metadata: { ['__proto__']: 'x', $bigint: '5' } }),
        sampleStream({ name: 'b', createdAt: START + 1 }),
      ]
      await store.createStream(one)
      await store.createStream(two)
      const changed: Stream = { ...one, status: 'paused', version: 2 }
      ok(await store.updateStream(changed, 1))
      ok(!(await store.updateStream({ ...one, version: 2 }, 1)))
      ok(!(await store.updateStream(sampleStream(), 1)))
      store = await reopened(place, store)
      deepStrictEqual(plain(await store.getStream(one.id)), plain(changed))
      deepStrictEqual(
        (await store.listStreams({ accountId: 'a', limit: 9 })).map(({ id }) => id),
        [two.id, one.id],
      )
      deepStrictEqual((await store.listStreams({ accountId: 'a', limit: 9, after: two })).length, 1)
      deepStrictEqual((await store.listStreams({ accountId: 'a', limit: 9, status: 'paused' })).length, 1)
      deepStrictEqual((await store.listStreams({ accountId: 'b', limit: 9 })).length, 0)
      ok(await store.deleteStream(one.id))
      ok(!(await store.deleteStream(one.id)))
      store = await reopened(place, store)
      deepStrictEqual(await store.getStream(one.id), undefined)
      deepStrictEqual(kinds(await store.append([sampleAppend(one.id, [1n])], START)), ['refused'])
      await store.close()
    },
  },
  {
    name: 'positions have no holes, sequences are unique, repeats and conflicts are told',
    async run(place) {
      let store = await place.open()
      const { id } = sampleStream()
      await store.createStream(sampleStream({ id }))
      deepStrictEqual(kinds(await store.append([sampleAppend(id, [5n, 3n]), sampleAppend(id, [5n, 9n])], START)), [
        'created',
        'created',
        'duplicate',
        'created',
      ])
      store = await reopened(place, store)
      const other = {
        ...sampleAppend(id, []),
        frames: [{ fields: sampleFields(3n, { payload: '{}' }), receivedAt: 0 }],
      }
      deepStrictEqual(kinds(await store.append([sampleAppend(id, [3n, 5n, 9n]), other], START + 1)), [
        'duplicate',
        'duplicate',
        'duplicate',
        'conflict',
      ])
      deepStrictEqual(kinds(await store.append([{ ...sampleAppend(id, [4n, 5n]), atomic: true }], START + 1)), [
        'created',
        'duplicate',
      ])
      const atomic = { ...other, frames: [...sampleAppend(id, [20n]).frames, ...other.frames], atomic: true }
      deepStrictEqual(kinds(await store.append([atomic, sampleAppend(id, [21n])], START + 2)), [
        'withheld',
        'conflict',
        'created',
      ])
      deepStrictEqual(await positions(store, id), [1n, 2n, 3n, 4n, 5n])
      const bySequence = await store.listFrames({ streamId: id, by: 'sequence', order: 'desc', limit: 9 })
      deepStrictEqual(
        bySequence.map(({ sequence }) => sequence),
        [21n, 9n, 5n, 4n, 3n],
      )
      deepStrictEqual((await store.latestFrame(id))?.sequence, 21n)
      await store.close()
    },
  },
  {
    name: 'every field of a frame comes back as it was',
    async run(place) {
      let store = await place.open()
      const stream = sampleStream({ slaMs: 10 })
      await store.createStream(stream)
      const hard: readonly Partial<FrameFields>[] = [
        { sequence: 9_223_372_036_854_775_807n, payload: '{"π":1e400,"x":"\\ud83d\\ude00 日本 😀"}' },
        { sequence: 1n, latencyMs: Number.MAX_SAFE_INTEGER, status: 'error', metadata: { a: 'é', ['__proto__']: 'p' } },
        { sequence: 2n, latencyMs: 7, observedAt: START - 25, traceparent: '00-1-2-01' },
        { sequence: 3n, latencyMs: undefined, observedAt: -5, payload: `{"long":"${'x'.repeat(70_000)}"}` },
      ]
      const frames = hard.map((fields) => ({ fields: sampleFields(1n, fields), receivedAt: START }))
      const results = await store.append([{ streamId: stream.id, frames, atomic: false }], START + 3)
      const made = results[0]!.map((result) => (result.kind === 'created' ? result.frame : undefined))
      store = await reopened(place, store)
      for (const frame of made) deepStrictEqual(plain(await store.getFrame(stream.id, frame!.sequence)), plain(frame))
      deepStrictEqual(kinds(await store.append([sampleAppend(stream.id, [undefined])], START)), ['refused'])
      await store.close()
    },
  },
  {
    name: 'frames of a paused stream are held back until it goes on',
    async run(place) {
      let store = await place.open()
      const stream = sampleStream({ onPaused: 'buffer' })
      await store.createStream(stream)
      await store.append([sampleAppend(stream.id, [1n, 2n])], START)
      await store.updateStream({ ...stream, status: 'paused', version: 2 }, 1)
      await store.append([sampleAppend(stream.id, [3n])], START)
      store = await reopened(place, store)
      deepStrictEqual((await store.extent(stream.id))?.releasedPosition, 2n)
      const news: StreamNews[] = []
      const end = store.watch((one) => news.push(one))
      await store.updateStream({ ...stream, status: 'active', version: 3 }, 2)
      end()
      deepStrictEqual(
        news.map(({ kind }) => kind),
        ['stream', 'released'],
      )
      deepStrictEqual((await store.extent(stream.id))?.releasedPosition, 3n)
      await store.close()
    },
  },
  {
    name: 'the first frame of an inactive stream activates it, in the same commit',
    async run(place) {
      let store = await place.open()
      const stream = sampleStream({ status: 'inactive' })
      await store.createStream(stream)
      await store.append([sampleAppend(stream.id, [1n])], START + 9)
      store = await reopened(place, store)
      const active = await store.getStream(stream.id)
      deepStrictEqual([active?.status, active?.version, active?.updatedAt], ['active', 2, START + 9])
      await store.updateStream({ ...active!, status: 'inactive', autoActivate: false, version: 3 }, 2)
      store = await reopened(place, store)
      deepStrictEqual(kinds(await store.append([sampleAppend(stream.id, [2n])], START)), ['refused'])
      await store.close()
    },
  },
  {
    name: 'producers count by one, writers rise; both are remembered with the frames',
    async run(place) {
      let store = await place.open()
      const { id } = sampleStream()
      await store.createStream(sampleStream({ id }))
      const from = async (sequence: bigint, epoch: number, seq: number): Promise<string> =>
        kinds(await store.append([sampleAppend(id, [sequence], { producer: { id: 'p', epoch, seq } })], START))[0]!
      deepStrictEqual(await from(1n, 0, 1), 'producer_epoch')
      deepStrictEqual(await from(1n, 0, 0), 'created')
      store = await reopened(place, store)
      deepStrictEqual(await from(9n, 0, 0), 'producer_repeat')
      deepStrictEqual(await from(9n, 0, 2), 'producer_gap')
      deepStrictEqual(await from(2n, 1, 0), 'created')
      deepStrictEqual(await from(9n, 0, 1), 'producer_fenced')
      deepStrictEqual(await store.getProducer(id, 'p'), { id: 'p', epoch: 1, seq: 0 })
      const write = async (sequence: bigint, incarnation: bigint, chunk: bigint): Promise<string> =>
        kinds(
          await store.append(
            [sampleAppend(id, [sequence], { writer: { id: 'w', incarnation, epoch: 1n, chunk } })],
            START,
          ),
        )[0]!
      deepStrictEqual(await write(10n, 1n, 0n), 'created')
      deepStrictEqual(await write(11n, 1n, 1n), 'created')
      store = await reopened(place, store)
      deepStrictEqual(await write(99n, 1n, 1n), 'writer_repeat')
      const claim = sampleAppend(id, [], { writer: { id: 'w', incarnation: 3n, epoch: 0n, chunk: 0n } })
      deepStrictEqual(kinds(await store.append([claim], START)), ['writer_repeat'])
      store = await reopened(place, store)
      deepStrictEqual(await write(99n, 2n, 7n), 'writer_fenced')
      deepStrictEqual(await store.getWriter(id, 'w'), { id: 'w', incarnation: 3n, epoch: 1n, chunk: 1n })
      deepStrictEqual(await store.getWriter(id, 'x'), undefined)
      deepStrictEqual((await positions(store, id)).length, 4)
      await store.close()
    },
  },
  {
    name: 'an answer is kept with the frames, under its key, as long as it should',
    async run(place) {
      let store = await place.open()
      const { id } = sampleStream()
      await store.createStream(sampleStream({ id }))
      const begin = (hash: string, now = START) => store.idempotency.begin('k', hash, now)
      deepStrictEqual(await begin('h'), { kind: 'new' })
      deepStrictEqual(await begin('h'), { kind: 'running' })
      deepStrictEqual(await begin('other'), { kind: 'mismatch' })
      store.idempotency.abandon('k')
      deepStrictEqual(await begin('h'), { kind: 'new' })
      const answer = { status: 201, headers: { etag: '"1"' }, body: '{"position":1}' }
      await store.append(
        [sampleAppend(id, [1n], { idempotency: { key: 'k', hash: 'h', answer: () => answer } })],
        START,
      )
      store = await reopened(place, store)
      deepStrictEqual(await begin('h'), { kind: 'answer', answer })
      deepStrictEqual(await begin('other'), { kind: 'mismatch' })
      deepStrictEqual(await begin('h', START + 86_400_000), { kind: 'new' })
      await store.idempotency.finish('k', answer, START + 86_400_000)
      deepStrictEqual((await begin('h', START + 86_400_001)).kind, 'answer')
      await store.close()
    },
  },
  {
    name: 'retention cuts the oldest positions; the frame with the highest sequence stays',
    async run(place) {
      let store = await place.open()
      const { id } = sampleStream()
      await store.createStream(sampleStream({ id }))
      await store.append([sampleAppend(id, [100n])], START)
      for (let i = 1; i <= 20; i++) await store.append([sampleAppend(id, [BigInt(i)])], START + i)
      const cutFor = (retention: Stream['retention']) => store.retentionCut(id, retention, START + 20)
      deepStrictEqual(await cutFor({ maxFrames: 5 }), 16n)
      deepStrictEqual(await cutFor({ maxAgeMs: 5 }), 15n)
      // `{"n":20}` has 8 bytes.
      deepStrictEqual(await cutFor({ maxBytes: 31 }), 18n)
      deepStrictEqual(await cutFor({ maxBytes: 32 }), 17n)
      await store.cut(id, 16n)
      await store.cut(id, 3n)
      for (const again of [false, true]) {
        if (again) store = await reopened(place, store)
        deepStrictEqual(await positions(store, id), [1n, 17n, 18n, 19n, 20n, 21n])
        deepStrictEqual((await store.latestFrame(id))?.sequence, 100n)
        deepStrictEqual(await store.getFrame(id, 5n), undefined)
        const extent = await store.extent(id)
        deepStrictEqual(
          [extent?.frames, extent?.bytes, extent?.cutPosition, extent?.lowestSequence],
          [6n, 49n, 16n, 16n],
        )
      }
      await store.append([sampleAppend(id, [101n])], START + 30)
      store = await reopened(place, store)
      deepStrictEqual(await positions(store, id), [17n, 18n, 19n, 20n, 21n, 22n])
      await store.cut(id, 21n)
      store = await reopened(place, store)
      deepStrictEqual(await positions(store, id), [22n])
      deepStrictEqual(kinds(await store.append([sampleAppend(id, [101n, 102n])], START + 31)), ['duplicate', 'created'])
      deepStrictEqual(await positions(store, id), [22n, 23n])
      await store.close()
    },
  },
  {
    name: 'reading goes by positions, within bytes and bounds',
    async run(place) {
      let store = await place.open()
      const { id } = sampleStream()
      await store.createStream(sampleStream({ id }))
      for (let i = 0; i < 5; i++) {
        await store.append([sampleAppend(id, [BigInt(2 * i + 1), BigInt(2 * i + 2)])], START + 10 * i)
      }
      store = await reopened(place, store)
      const read = async (after: bigint, upTo: bigint, limit: number, maxBytes?: number): Promise<bigint[]> =>
        (await store.readFrames(id, { after, upTo, limit, maxBytes })).map(({ position }) => position)
      deepStrictEqual(await read(0n, 10n, 3), [1n, 2n, 3n])
      deepStrictEqual(await read(7n, 9n, 9), [8n, 9n])
      deepStrictEqual(await read(10n, 10n, 9), [])
      deepStrictEqual(await read(0n, 99n, 9, 14), [1n, 2n])
      deepStrictEqual(await read(0n, 99n, 9, 1), [1n])
      deepStrictEqual(await store.positionAt(id, START), 0n)
      deepStrictEqual(await store.positionAt(id, START + 11), 4n)
      deepStrictEqual(await store.positionAt(id, START + 99), 10n)
      deepStrictEqual(await store.readFrames(ids.next(), { after: 0n, upTo: 9n, limit: 9 }), [])
      await store.close()
    },
  },
  {
    name: 'accounts and keys are kept; what the bus has got is known',
    async run(place) {
      let store = await place.open()
      await store.putAccount({ id: 'b', tenant: 't', name: 'B', createdAt: START })
      await store.putAccount({ id: 'a', tenant: 't', name: 'A', createdAt: START })
      const key: ApiKey = {
        id: 'abcdefgh',
        name: 'k',
        tenant: 't',
        accounts: null,
        scopes: ['admin'],
        streams: null,
        expiresAt: null,
        createdAt: START,
        secretHash: '00',
        lastUsedAt: null,
      }
      await store.putKey(key)
      store.touchKey(key.id, START + 1)
      const { id } = sampleStream()
      await store.createStream(sampleStream({ id }))
      await store.append([sampleAppend(id, [1n, 2n])], START)
      await store.published(id, 1n)
      await store.putDead({ streamId: id, position: 1n, error: 'too large', attempts: 5, at: START })
      store = await reopened(place, store)
      deepStrictEqual(
        (await store.listAccounts('t')).map((account) => account.id),
        ['a', 'b'],
      )
      deepStrictEqual(await store.listAccounts('other'), [])
      deepStrictEqual(await store.listKeys('t'), [{ ...key, lastUsedAt: START + 1 }])
      deepStrictEqual((await store.extent(id))?.publishedPosition, 1n)
      deepStrictEqual((await store.listDead(9)).length, 1)
      ok(await store.deleteKey(key.id))
      ok(!(await store.deleteKey(key.id)))
      deepStrictEqual(await store.getKey(key.id), undefined)
      await store.close()
    },
  },
]

/** Without members that are undefined: whether they are there makes no difference. */
export const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value ?? null, (_key, one) => (typeof one === 'bigint' ? `${one}n` : one)))
