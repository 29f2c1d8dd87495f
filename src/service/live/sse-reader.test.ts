import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { Random } from '../../core/random.ts'
import type { Frame } from '../../datastreams/frame.ts'
import { Signer } from '../access/signer.ts'
import { LiveHub } from './hub.ts'
import type { LiveSource } from './live-source.ts'

/** A response that takes what it is told to take. */
class SlowResponse extends EventEmitter {
  written = ''
  writableLength = 0
  ended = false
  takes = true
  readonly socket = { bytesWritten: 0, writableLength: 0 }

  write(text: string | Buffer): boolean {
    this.written += text.toString()
    this.socket.bytesWritten += text.length
    if (!this.takes) {
      this.writableLength += text.length
      this.socket.writableLength += text.length
    }
    return this.takes
  }

  /** So many bytes are taken. */
  take(bytes: number): void {
    const taken = Math.min(bytes, this.writableLength)
    this.writableLength -= taken
    this.socket.writableLength -= taken
    if (this.writableLength === 0) this.emit('drain')
  }

  end(): void {
    this.ended = true
  }

  destroy(): void {
    this.emit('close')
  }
}

const frameAt = (position: number): Frame => ({
  id: 'f',
  accountId: 'a',
  streamId: 's',
  sequence: BigInt(position),
  position: BigInt(position),
  payload: JSON.stringify({ text: 'x'.repeat(1000) }),
  latencyMs: 0,
  reportedLatencyMs: undefined,
  status: 'ok',
  statedStatus: 'ok',
  metadata: {},
  observedAt: undefined,
  receivedAt: 0,
  createdAt: 0,
  outOfOrder: false,
  traceparent: undefined,
})

/** A stream of so many frames of about a kilobyte. */
function sourceOf(count: number): LiveSource & { reads: number } {
  const source = {
    reads: 0,
    startPosition: async () => 0n,
    follow: () => ({ deleted: false, wait: () => new Promise<void>(() => undefined), close: () => undefined }),
    read: async (
      _account: string,
      _stream: string,
      { after, limit, maxBytes = 1e9 }: { after: bigint; limit: number; maxBytes?: number },
    ) => {
      source.reads++
      const most = Math.min(limit, Math.max(1, Math.floor(maxBytes / 1000)), count - Number(after))
      const frames = Array.from({ length: most }, (_, i) => frameAt(Number(after) + i + 1))
      const next = after + BigInt(most)
      return { frames, next, upToDate: Number(next) === count }
    },
  }
  return source
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 200; i++) await Promise.resolve()
}

function opened(source: LiveSource, responses: readonly SlowResponse[]) {
  const clock = new ManualClock()
  const limits = { heartbeatMs: 15_000, readerStallMs: 60_000, sseMaxMs: 3_600_000 }
  const hub = new LiveHub(source, new Signer(new Uint8Array(32)), { clock, random: new Random(1), limits })
  for (const response of responses) {
    const of = { accountId: 'a', streamId: 's', statuses: undefined, position: 0n }
    hub.openSse(response as unknown as ServerResponse, of)
  }
  const pass = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1000)
      await settled()
    }
  }
  return { hub, pass }
}

test('a reader that takes nothing holds at most 64 KiB, is dropped after a minute, and holds nobody up', async () => {
  const source = sourceOf(500)
  const slow = new SlowResponse()
  slow.takes = false
  const quick = new SlowResponse()
  const { hub, pass } = opened(source, [slow, quick])
  await settled()
  expect(slow.writableLength).toBeLessThanOrEqual(64 * 1024)
  expect(quick.written.match(/event: frame/g)).toHaveLength(500)
  await pass(59)
  expect(hub.counters.subscribers.sse).toBe(2)
  await pass(2)
  expect(slow.written).toMatch(/event: lagged\ndata: \{"reason":"stalled","cursor":"c1\./)
  expect([hub.counters.subscribers.sse, hub.counters.lagged.sse]).toEqual([1, 1])
})

test('a reader that takes a little goes on, in order and without a gap', async () => {
  const slow = new SlowResponse()
  slow.takes = false
  const { hub, pass } = opened(sourceOf(200), [slow])
  for (let i = 0; i < 100; i++) {
    slow.take(20_000)
    await pass(1)
  }
  const seen = [...slow.written.matchAll(/"position":(\d+),"position_str"/g)].map(([, position]) => Number(position))
  expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
  expect(hub.counters.lagged.sse).toBe(0)
})

test('readers at one place share one read', async () => {
  const source = sourceOf(10)
  const responses = Array.from({ length: 50 }, () => new SlowResponse())
  opened(source, responses)
  await settled()
  expect(source.reads).toBe(1)
  expect(new Set(responses.map(({ written }) => written)).size).toBe(1)
})

test('signs of life while nothing comes; about an hour, then the place where to go on', async () => {
  const response = new SlowResponse()
  const { pass } = opened(sourceOf(0), [response])
  await pass(14)
  expect(response.written).not.toContain('keep-alive')
  await pass(2)
  expect(response.written).toContain(': keep-alive\n\n')
  await pass(3_800)
  expect(response.written).toMatch(/event: resume\ndata: \{"reason":"age"/)
  expect(response.ended).toBe(true)
})
