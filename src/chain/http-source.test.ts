import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Clock, systemClock } from '../core/clock.ts'
import { Random } from '../core/random.ts'
import { ChainModel } from '../testkit/chain-model.ts'
import { ChainServer } from '../testkit/chain-server.ts'
import { type DatastreamError, encodeBatch, HttpBatchSource, type HttpSourceConfig } from './chain.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server whose answers are these, one after the other; the last one stays. */
async function serve(...answers: Answer[]): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answers[Math.min(requests.length, answers.length) - 1]!(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

/** Remembers pauses instead of making them; time limits pass when told. */
class Pauses implements Clock {
  readonly pauses: number[] = []
  #limit: (() => void) | undefined

  nowMicros(): number {
    return systemClock.nowMicros()
  }

  elapsedMs(): number {
    return systemClock.elapsedMs()
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms !== 30_000) return void this.pauses.push(Math.round(ms))
    await new Promise<void>((resolve) => {
      this.#limit = resolve
      signal?.addEventListener('abort', () => resolve())
    })
  }

  passLimit(): void {
    this.#limit?.()
  }
}

const open = (baseUrl: string, config: HttpSourceConfig = {}): { source: HttpBatchSource; clock: Pauses } => {
  const clock = new Pauses()
  return { source: new HttpBatchSource({ baseUrl, clock, random: new Random(1), ...config }), clock }
}

const failure = async (task: Promise<unknown>): Promise<DatastreamError> => {
  try {
    await task
  } catch (error) {
    return error as DatastreamError
  }
  throw new Error('it did not fail')
}

const model = new ChainModel(new Random(1))
model.grow(45)
const page = (from: number): string =>
  `[${model.batches
    .slice(from - 1, from + 19)
    .map(encodeBatch)
    .join(',')}]`

test('every batch of an answer is handed out in order before the next request', async () => {
  await using server = await ChainServer.start(model)
  const source = HttpBatchSource.fromUrl(server.url)
  const numbers: bigint[] = []
  for (let batch = await source.next(); batch !== null; batch = await source.next()) numbers.push(batch.id.number)
  expect(numbers).toEqual(model.batches.map(({ id }) => id.number))
  expect(server.requests).toEqual([
    '/api/v1/batches',
    '/api/v1/batches?from=21',
    '/api/v1/batches?from=41',
    '/api/v1/batches?from=46',
  ])
})

test('a path is kept in front; what belongs to the interface is dropped', async () => {
  const base = (url: string): string => new HttpBatchSource({ baseUrl: url }).baseUrl
  expect(base('http://h:8080')).toBe('http://h:8080')
  expect(base('http://h:8080/')).toBe('http://h:8080')
  expect(base('http://h:8080/batches')).toBe('http://h:8080')
  expect(base('http://h:8080/node/7/')).toBe('http://h:8080/node/7')
  expect(base('http://h:8080/node/api/v1')).toBe('http://h:8080/node')
  expect(base('http://h:8080/node/api/v1/batches/')).toBe('http://h:8080/node')
  expect(base('http://h:8080/node/batches')).toBe('http://h:8080/node/batches')
  expect(new HttpBatchSource().baseUrl).toBe('http://localhost:8080')
  const { url, requests } = await serve((_, response) => response.end('[]'))
  await open(`${url}/node/7/api/v1/batches`, { apiKey: 'k1' }).source.next()
  expect(requests[0]!.url).toBe('/node/7/api/v1/batches')
  expect(requests[0]!.headers.authorization).toBe('Bearer k1')
})

for (const status of [408, 425, 429, 500, 502, 503, 504]) {
  test(`${status} is tried again, 3 times, after pauses that double`, async () => {
    const { url, requests } = await serve((_, response) => response.writeHead(status).end('no'))
    const { source, clock } = open(url)
    const error = await failure(source.next())
    expect([error.kind, error.status, requests.length]).toEqual(['HttpError', status, 4])
    expect(error.message).toMatch(new RegExp(`^HTTP error: ${status} - [A-Z][\\w ]+: no$`))
    expect(error.class).toBe(status === 429 ? 'throttled' : 'transient')
    expect(clock.pauses.length).toBe(3)
    clock.pauses.forEach((pause, i) => {
      expect(pause).toBeGreaterThanOrEqual(800 * 2 ** i)
      expect(pause).toBeLessThanOrEqual(1200 * 2 ** i)
    })
  })
}

for (const status of [400, 401, 403, 404, 422]) {
  test(`${status} is not tried again`, async () => {
    const body = 'x'.repeat(5000)
    const { url, requests } = await serve((_, response) => response.writeHead(status).end(body))
    const error = await failure(open(url).source.next())
    expect([error.kind, error.status, requests.length, error.retryable]).toEqual(['HttpError', status, 1, false])
    expect(error.message.length).toBeLessThan(2200)
    expect(error.message).toContain('x'.repeat(2048))
  })
}

test('Retry-After is honoured, in seconds and as a date, and has a limit', async () => {
  const date = new Date((Math.floor(systemClock.nowMicros() / 1e6) + 120) * 1000).toUTCString()
  const { url } = await serve(
    (_, response) => response.writeHead(503, { 'retry-after': '7' }).end(),
    (_, response) => response.writeHead(429, { 'retry-after': date }).end(),
    (_, response) => response.writeHead(503, { 'retry-after': '86400' }).end(),
    (_, response) => response.end(page(1)),
  )
  const { source, clock } = open(url)
  expect((await source.next())!.id.number).toBe(1n)
  expect(clock.pauses[0]).toBe(7000)
  expect(clock.pauses[1]).toBeGreaterThan(110_000)
  expect(clock.pauses[1]).toBeLessThanOrEqual(121_000)
  expect(clock.pauses[2]).toBe(300_000)
})

test('a cut answer and a refused connection are network errors, and tried again', async () => {
  const { url } = await serve(
    (_, response) => {
      response.writeHead(200, { 'content-length': '10000' })
      response.write('[', () => response.destroy())
    },
    (_, response) => response.end(page(1)),
  )
  const { source, clock } = open(url)
  expect((await source.next())!.id.number).toBe(1n)
  expect(clock.pauses.length).toBe(1)
  const nobody = open('http://127.0.0.1:1')
  const error = await failure(nobody.source.next())
  expect([error.kind, error.retryable, nobody.clock.pauses.length]).toEqual(['NetworkError', true, 3])
  expect(error.message).toMatch(/^Network error: http:\/\/127\.0\.0\.1:1.*(refused|bad port)/i)
})

test('the time limit covers the whole answer', async () => {
  let clock: Pauses
  const { url, requests } = await serve((_, response) => {
    response.writeHead(200)
    response.write('[', () => setImmediate(() => clock.passLimit()))
  })
  const opened = open(url)
  clock = opened.clock
  const error = await failure(opened.source.next())
  expect([error.kind, requests.length]).toEqual(['TimeoutError', 4])
  expect(error.message).toMatch(/^Timeout error: .* within 30000 ms$/)
})

test('an answer over the limit is refused, announced or not, and not asked for again', async () => {
  const chunked = await serve((_, response) => {
    response.write(' '.repeat(2000))
    response.end('[]')
  })
  const announced = await serve((_, response) => response.end(`[${' '.repeat(2000)}]`))
  for (const { url, requests } of [chunked, announced]) {
    const error = await failure(open(url, { maxResponseBytes: 1000 }).source.next())
    expect([error.kind, requests.length]).toEqual(['SerializationError', 1])
    expect(error.message).toBe('Serialization error: the answer is larger than 1000 bytes')
  }
  const { url } = await serve((_, response) => response.end(`[${' '.repeat(998)}]`))
  expect(await open(url, { maxResponseBytes: 1000 }).source.next()).toBeNull()
})

test('what is no JSON, no array or no UTF-8 is refused and not asked for again', async () => {
  for (const body of ['[{', '{}', 'null', Buffer.from([0x5b, 0xff, 0x5d])]) {
    const { url, requests } = await serve((_, response) => response.end(body))
    const error = await failure(open(url).source.next())
    expect([error.kind, requests.length]).toEqual(['SerializationError', 1])
    expect(error.message).toMatch(/^Serialization error: (?!Serialization)/)
  }
})

test('health: any 2xx; anything else is SourceUnavailable after one attempt', async () => {
  const fine = await serve((_, response) => response.writeHead(204).end())
  await open(fine.url).source.healthCheck()
  expect(fine.requests[0]!.url).toBe('/api/v1/health')
  const ill = await serve((_, response) => response.writeHead(503).end('resting'))
  const error = await failure(open(ill.url).source.healthCheck())
  expect([error.kind, ill.requests.length]).toEqual(['SourceUnavailable', 1])
  expect(error.message).toMatch(/^Source unavailable: .*resting/)
})

test('metadata: the last known when it cannot be had', async () => {
  const { url } = await serve(
    (_, response) => response.writeHead(404).end(),
    (_, response) =>
      response.end('{"name":"N","version":"3","url":"u","supports_checkpoints":false,"max_batch_size":9}'),
    (_, response) => response.end('nothing'),
  )
  const { source } = open(url)
  const first = await source.metadata()
  expect([first.name, first.version, first.url, first.supportsCheckpoints]).toEqual([
    'HTTP Batch Source',
    '1.0',
    url,
    true,
  ])
  const second = await source.metadata()
  expect([second.name, second.maxBatchSize]).toEqual(['N', 9])
  expect((await source.metadata()).name).toBe('N')
})

test('a signal ends a request at once with its reason', async () => {
  const { url } = await serve(() => stop.abort(new Error('enough')))
  const stop = new AbortController()
  const { source } = open(url)
  await expect(source.next({ signal: stop.signal })).rejects.toThrow('enough')
})

test('settings out of range are refused', () => {
  const kind = (config: HttpSourceConfig): string => {
    try {
      new HttpBatchSource(config)
    } catch (error) {
      return (error as DatastreamError).kind
    }
    return 'none'
  }
  for (const baseUrl of ['nothing', 'ftp://h', 'http://u:p@h']) expect(kind({ baseUrl })).toBe('ConfigError')
  expect(kind({ maxRetries: -1 })).toBe('ConfigError')
  expect(kind({ maxRetries: 0.5 })).toBe('ConfigError')
  expect(kind({ timeout: 'soon' })).toBe('ConfigError')
  expect(kind({ maxResponseBytes: 'much' })).toBe('ConfigError')
  expect(kind({ maxResponseBytes: '1MiB', timeout: '5s', retryDelay: 10 })).toBe('none')
})
