import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { Clock } from '../core/clock.ts'
import { Random } from '../core/random.ts'
import { ChainModel } from '../testkit/chain-model.ts'
import {
  BaseBatchSource,
  type Batch,
  DatastreamError,
  type DatastreamErrorKind,
  datastreamErrorKinds,
  decodeBatch,
  FilesystemBatchSource,
  HttpBatchSource,
  MemoryBatchSource,
  WebSocketBatchSource,
} from './chain.ts'

const STARTS: Readonly<Record<DatastreamErrorKind, RegExp>> = {
  NetworkError: /^Network error: /,
  HttpError: /^HTTP error: 404 - /,
  SerializationError: /^Serialization error: /,
  CheckpointError: /^Checkpoint error: /,
  SourceUnavailable: /^Source unavailable: /,
  InvalidBatchData: /^Invalid batch data: /,
  ConfigError: /^Configuration error: /,
  TimeoutError: /^Timeout error: /,
  InternalError: /^Internal error: /,
  ConnectionError: /^Connection error: /,
  CommunicationError: /^Communication error: /,
  DeserializationError: /^Deserialization error: /,
  IoError: /^IO error: /,
}

/** Time passes when the event loop turns. */
const quick: Clock = {
  nowMicros: () => 0,
  elapsedMs: () => 0,
  sleep: async (ms) => {
    for (let i = 0; i < (ms >= 1000 ? 300 : 1); i++) await new Promise(setImmediate)
  },
}

class Broken extends BaseBatchSource {
  protected async fetch(): Promise<readonly Batch[]> {
    throw new TypeError('a bug of the source')
  }
}

const nobody = 'http://127.0.0.1:1'
const once = { maxRetries: 0, clock: quick, random: new Random(1) }

/** How each kind is raised by a user of the package. */
const raise: Readonly<Record<DatastreamErrorKind, (server: { http: string; ws: string }) => unknown>> = {
  NetworkError: () => new HttpBatchSource({ ...once, baseUrl: nobody }).next(),
  HttpError: ({ http }) => new HttpBatchSource({ ...once, baseUrl: `${http}/missing` }).next(),
  SerializationError: () => decodeBatch('{}'),
  CheckpointError: () => new MemoryBatchSource().checkpoint(),
  SourceUnavailable: () => new HttpBatchSource({ ...once, baseUrl: nobody }).healthCheck(),
  InvalidBatchData: () => {
    const model = new ChainModel(new Random(1), 0n)
    model.grow(1)
    return new MemoryBatchSource(model.batches).next()
  },
  ConfigError: () => new HttpBatchSource({ baseUrl: 'nowhere' }),
  TimeoutError: ({ http }) => new HttpBatchSource({ ...once, baseUrl: `${http}/stall`, timeout: '1s' }).next(),
  InternalError: () => new Broken().next(),
  ConnectionError: () => new WebSocketBatchSource({ ...once, url: 'ws://127.0.0.1:1' }).next(),
  CommunicationError: ({ ws }) => new WebSocketBatchSource({ ...once, url: ws, pollInterval: '1h' }).next(),
  DeserializationError: () => new FilesystemBatchSource({ path: import.meta.dirname, fileExtension: 'ts' }).next(),
  IoError: () => new FilesystemBatchSource({ path: '/nowhere/at/all' }).healthCheck(),
}

test('there are thirteen kinds', () => expect(datastreamErrorKinds).toEqual(Object.keys(STARTS)))

for (const kind of datastreamErrorKinds) {
  test(`${kind} is raised, begins as promised, and goes to JSON`, async () => {
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/missing') === true) response.writeHead(404).end('nothing here')
    })
    // Takes the handshake, then goes.
    server.on('upgrade', (request, socket) => {
      socket.on('error', () => undefined)
      const { createHash } = process.getBuiltinModule('node:crypto')
      const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
      const accept = createHash('sha1').update(key).digest('base64')
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      )
      socket.once('data', () => socket.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    let error: unknown
    try {
      await raise[kind]({ http: `http://127.0.0.1:${port}`, ws: `ws://127.0.0.1:${port}` })
    } catch (caught) {
      error = caught
    } finally {
      server.closeAllConnections()
      server.close()
    }
    if (!(error instanceof DatastreamError)) throw new Error(`not raised: ${String(error)}`)
    expect(error.kind).toBe(kind)
    expect(error.message).toMatch(STARTS[kind])
    const json = JSON.parse(JSON.stringify(error)) as Readonly<Record<string, unknown>>
    expect([json['kind'], json['code'], json['message']]).toEqual([kind, error.code, error.message])
    expect(json).not.toHaveProperty('stack')
    if (kind === 'HttpError') expect(json['status']).toBe(404)
    if (kind === 'InvalidBatchData') expect([json['batch_number'], json['path']]).toEqual(['0x0', 'id.number'])
  })
}
