import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MemoryStore } from '../datastreams/memory-store.ts'
import { readSettings } from './config/read-settings.ts'
import { silentLog } from './log.ts'
import { Server } from './server.ts'
import { EventReader } from './testing/event-reader.ts'

const open = async (flags: Parameters<typeof readSettings>[0]['flags'], environment = {}) => {
  const { settings } = await readSettings({ flags: { 'server.port': '0', ...flags }, environment })
  return await Server.open(settings, { log: silentLog, store: new MemoryStore() })
}

let server: Server
beforeAll(async () => {
  server = await open({ dev: true, 'streams.cors.origins': 'https://page.example' })
})
afterAll(() => server.stop(1000))

async function streamOf(url: string): Promise<string> {
  const body = JSON.stringify({ name: 'n', symbol: 's' })
  const answer = await fetch(`${url}/streams`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  return ((await answer.json()) as { id: string }).id
}

/** What comes back for bytes on a socket. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(server.url)
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(Number(port), hostname, () => socket.write(text))
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString()
  })
  socket.on('close', () => resolve(answer))
  return promise
}

test('without credentials it listens on this machine only; with none configured, not at all', async () => {
  await expect(open({ dev: true, 'server.host': '0.0.0.0' })).rejects.toMatchObject({ code: 'config_invalid' })
  await expect(open({})).rejects.toMatchObject({ code: 'config_invalid' })
  await expect(open({ 'streams.bus': 'kafka://x', dev: true })).rejects.toMatchObject({ code: 'config_invalid' })
})

test('the configured admin key opens it; its port cannot be taken twice', async () => {
  const key = `hr_${'a'.repeat(8)}_${'b'.repeat(43)}`
  const environment = { HEADRACE_STREAMS_AUTH_PEPPER: 'p', HEADRACE_STREAMS_AUTH_ADMIN_KEY: key }
  const guarded = await open({}, environment)
  const ask = (authorization: string) => fetch(`${guarded.url}/v1/accounts`, { headers: { authorization } })
  expect((await ask(`Bearer ${key}`)).status).toBe(200)
  expect((await ask(`Bearer ${key.replace('b', 'c')}`)).status).toBe(401)
  const { port } = new URL(guarded.url)
  await expect(open({ dev: true, 'server.port': port })).rejects.toMatchObject({
    code: 'address_unusable',
    exitCode: 3,
  })
  await guarded.stop(1000)
})

test('probes, the document and the page answer without a credential', async () => {
  for (const path of [
    '/livez',
    '/startupz',
    '/readyz',
    '/ready',
    '/health',
    '/healthz',
    '/openapi.json',
    '/docs',
    '/docs/start.js',
  ]) {
    expect([path, (await fetch(`${server.url}${path}`)).status]).toEqual([path, 200])
  }
})

test('pages of listed origins may call, others may not', async () => {
  const preflight = (origin: string) =>
    fetch(`${server.url}/streams`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
  const listed = await preflight('https://page.example')
  expect(listed.headers.get('access-control-allow-origin')).toBe('https://page.example')
  expect((await preflight('https://other.example')).headers.get('access-control-allow-origin')).toBeNull()
  const id = await streamOf(server.url)
  const live = await EventReader.open(`${server.url}/streams/${id}/subscribe`, { origin: 'https://page.example' })
  expect(live.headers.get('access-control-allow-origin')).toBe('https://page.example')
  live.close()
})

test('ten thousand headers and what is no request get an answer, and the service runs on', async () => {
  const headers = Array.from({ length: 10_000 }, (_, i) => `x-${i}: y\r\n`).join('')
  expect(await raw(`GET /livez HTTP/1.1\r\nhost: x\r\n${headers}\r\n`)).toMatch(
    /^HTTP\/1.1 431 .*"code":"headers_too_large"/s,
  )
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*"code":"bad_request"/s)
  expect((await fetch(`${server.url}/livez`)).status).toBe(200)
})

test('a refused body that goes on is read away: the caller gets the answer', async () => {
  const id = await streamOf(server.url)
  const large = JSON.stringify({ payload: { text: 'x'.repeat(12_000_000) } })
  const answer = await fetch(`${server.url}/streams/${id}/frames`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: large,
  })
  expect(answer.status).toBe(413)
})

test('a stop tells live readers where to go on, then refuses', async () => {
  const stopping = await open({ dev: true })
  const id = await streamOf(stopping.url)
  const reader = await EventReader.open(`${stopping.url}/streams/${id}/subscribe`)
  const ready = await reader.next()
  await stopping.stop(1000)
  expect(await reader.next()).toMatchObject({
    name: 'resume',
    id: ready!.data.cursor,
    data: { reason: 'shutdown', cursor: ready!.data.cursor, position: 0 },
  })
  expect(await reader.next()).toBeUndefined()
  await expect(fetch(`${stopping.url}/livez`)).rejects.toThrow()
})

test('a start that fails holds nothing: the next one may have the store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-server-'))
  try {
    const settingsOf = async (flags: Parameters<typeof readSettings>[0]['flags']) => {
      const { settings } = await readSettings({
        flags: { 'server.port': '0', data_dir: folder, ...flags },
        environment: {},
      })
      return settings
    }
    const bad = await settingsOf({ 'streams.auth.pepper': 'x', 'streams.auth.admin_key': 'hr_admin' })
    await expect(Server.open(bad, { log: silentLog })).rejects.toMatchObject({ code: 'config_invalid' })
    const good = await Server.open(await settingsOf({ dev: true }), { log: silentLog })
    const taken = await settingsOf({ dev: true, 'server.port': new URL(good.url).port })
    await expect(Server.open(taken, { log: silentLog, store: new MemoryStore() })).rejects.toMatchObject({
      code: 'address_unusable',
    })
    await good.stop(1000)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
