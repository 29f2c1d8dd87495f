import type { AddressInfo, Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Clock, systemClock } from '../core/clock.ts'
import { Random } from '../core/random.ts'
import { ChainModel } from '../testkit/chain-model.ts'
import { ChainServer } from '../testkit/chain-server.ts'
import { type BatchItem, type DatastreamError, encodeBatch, WebSocketBatchSource } from './chain.ts'

const SILENCE = 30_000
const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Pauses are short; silence passes when told. */
class TestClock implements Clock {
  #silent: (() => void)[] = []

  nowMicros(): number {
    return systemClock.nowMicros()
  }

  elapsedMs(): number {
    return systemClock.elapsedMs()
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      signal?.addEventListener('abort', () => resolve(), { once: true })
      if (ms === SILENCE) this.#silent.push(resolve)
      else if (ms !== 2000) setImmediate(resolve)
    })
  }

  passSilence(): void {
    for (const resolve of this.#silent.splice(0)) resolve()
  }
}

const model = new ChainModel(new Random(1))
model.grow(12)
const text = (number: number): string => encodeBatch(model.batches[number - 1]!)

/** A server that does with every subscription what the test says. */
async function serve(...acts: ((socket: WebSocket, from: string | undefined) => void)[]): Promise<{
  url: string
  froms: (string | undefined)[]
}> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false })
  const froms: (string | undefined)[] = []
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { method: string; id: number; params: { from?: string }[] }
      expect([message.method, message.id]).toEqual(['cdk_subscribeBatches', 1])
      froms.push(message.params[0]?.from)
      acts[Math.min(froms.length, acts.length) - 1]!(socket, message.params[0]?.from)
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  closing.push(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, froms }
}

const open = (url: string, httpUrl?: string): { source: WebSocketBatchSource; clock: TestClock } => {
  const clock = new TestClock()
  const source = new WebSocketBatchSource({ url, httpUrl, clock, random: new Random(1) })
  closing.push(() => source.close())
  return { source, clock }
}

const numbers = async (source: WebSocketBatchSource, count: number): Promise<number[]> => {
  const found: number[] = []
  while (found.length < count) {
    const batch = await source.next()
    if (batch !== null) found.push(Number(batch.id.number))
  }
  return found
}

const raw = (socket: WebSocket): Socket => (socket as unknown as { _socket: Socket })._socket

test('the acknowledgement is consumed; text and binary frames hold a batch, bare or as a notice', async () => {
  const { url, froms } = await serve((socket) => {
    socket.send('{"jsonrpc":"2.0","id":1,"result":"0xabc"}')
    socket.send(text(1))
    socket.send(Buffer.from(text(2)))
    socket.send(`{"jsonrpc":"2.0","method":"x","params":{"subscription":"0xabc","result":${text(3)}}}`)
    socket.send(Buffer.from(`{"params":{"result":${text(4)}}}`))
  })
  const { source } = open(url)
  expect(await numbers(source, 4)).toEqual([1, 2, 3, 4])
  expect(froms).toEqual([undefined])
})

test('a frame cut in its middle: connects again and goes on behind the last batch', async () => {
  const { url, froms } = await serve(
    (socket) => {
      socket.send(text(1))
      socket.send(text(2), () => {
        const frame = Buffer.concat([Buffer.from([0x81, 126, 0x20, 0x00]), Buffer.from(text(3).slice(0, 300))])
        raw(socket).write(frame, () => raw(socket).destroy())
      })
    },
    (socket) => socket.send(text(3)),
  )
  expect(await numbers(open(url).source, 3)).toEqual([1, 2, 3])
  expect(froms).toEqual([undefined, '3'])
})

test('a frame that holds no batch is an error item, and the next ones come', async () => {
  const { url } = await serve(
    (socket) => {
      socket.send(text(1))
      socket.send('{"id":')
      socket.send(text(2))
    },
    () => undefined,
  )
  const { source } = open(url)
  const items: BatchItem[] = []
  for await (const item of source.fetchBatchStream()) {
    items.push(item)
    if (items.length === 3) break
  }
  expect(items.map((item) => (item.ok ? Number(item.batch.id.number) : item.error.kind))).toEqual([
    1,
    'DeserializationError',
    2,
  ])
  expect((items[1] as { error: DatastreamError }).error.message).toMatch(/^Deserialization error: /)
})

test('what the subscription left out is fetched over HTTP', async () => {
  await using http = await ChainServer.start(model)
  const { url, froms } = await serve((socket) => {
    for (const number of [1, 2, 6, 7]) socket.send(text(number))
  })
  expect(await numbers(open(url, http.url).source, 7)).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect([froms, http.requests]).toEqual([[undefined], ['/api/v1/batches?from=3']])
})

test('without HTTP it is subscribed to again, then refused as a gap', async () => {
  const { url, froms } = await serve((socket, from) => {
    for (const number of from === undefined ? [1, 2, 6] : [6]) socket.send(text(number))
  })
  const { source } = open(url)
  expect(await numbers(source, 2)).toEqual([1, 2])
  await expect(source.next()).rejects.toThrow('Invalid batch data: gap: expected batch 3, got 6')
  expect(froms).toEqual([undefined, '3'])
})

test('pings are answered; silence is pinged, and twice silent is cut', async () => {
  const seen: string[] = []
  const { url, froms } = await serve(
    (socket) => {
      socket.on('pong', () => seen.push('pong'))
      socket.on('ping', () => seen.push('ping'))
      socket.ping(() => socket.send(text(1)))
    },
    (socket) => socket.send(text(2)),
  )
  const { source, clock } = open(url)
  expect(await numbers(source, 1)).toEqual([1])
  const next = numbers(source, 1)
  for (let i = 0; froms.length < 2; i++) {
    if (i > 2000) throw new Error(`it does not connect again: ${seen}`)
    await new Promise(setImmediate)
    if (i % 20 === 19) clock.passSilence()
  }
  expect(await next).toEqual([2])
  expect(seen).toEqual(['pong', 'ping'])
  expect(froms).toEqual([undefined, '2'])
})

test('nobody listens, and a refused subscription', async () => {
  const nobody = open('ws://127.0.0.1:1').source
  await expect(nobody.next()).rejects.toThrow(/^Connection error: ws:\/\/127\.0\.0\.1:1/)
  await expect(nobody.healthCheck()).rejects.toThrow(/^Source unavailable: /)
  const { url, froms } = await serve((socket) => socket.send('{"id":1,"error":{"code":-1,"message":"not for you"}}'))
  await expect(open(url).source.next()).rejects.toThrow(
    'Communication error: the subscription was refused: not for you',
  )
  expect(froms.length).toBe(4)
})

test('a slow reader stops the socket, and loses nothing', async () => {
  const many = new ChainModel(new Random(2))
  many.grow(500)
  await using server = await ChainServer.start(many)
  server.chain.from = (number) => many.batches.filter(({ id }) => id.number >= (number ?? 1n))
  const { source } = open(server.webSocketUrl)
  expect(await numbers(source, 1)).toEqual([1])
  for (let i = 0; i < 50; i++) await new Promise(setImmediate)
  expect(await numbers(source, 499)).toEqual(Array.from({ length: 499 }, (_, i) => i + 2))
  expect(server.requests).toEqual(['subscribe'])
})

test('URLs of other kinds are refused', () => {
  for (const url of ['http://h', 'nothing', 'ws://u:p@h']) {
    expect(() => new WebSocketBatchSource({ url })).toThrow(/^Configuration error: /)
  }
})
