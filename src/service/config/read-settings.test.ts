import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readSettings } from './read-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function written(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('command line before environment before profile before file before what it extends before default', async () => {
  written('base.yaml', 'server: { port: 1, host: base }\nstreams: { heartbeat_s: 9 }\nlog: { level: warn }\n')
  const file = written(
    'headrace.yaml',
    'extends: [base.yaml]\nserver: { port: 2 }\nstreams:\n  bus: "memory:"\n  bus.mode: direct\n  auth: { pepper: "$' +
      '{PEPPER}" }\n' +
      'profiles: { prod: { server: { port: 3, shutdown_timeout: 5s } } }\n',
  )
  const { settings, origins } = await readSettings({
    flags: { 'server.host': 'flag' },
    environment: { HEADRACE_SERVER_PORT: '4', HEADRACE_STREAMS_MAX_BODY_BYTES: '2MiB', PEPPER: 'salt' },
    file,
    profile: 'prod',
  })
  expect(settings).toMatchObject({
    'server.host': 'flag',
    'server.port': 4,
    'server.shutdown_timeout': 5000,
    'streams.heartbeat_s': 9,
    'streams.bus.mode': 'direct',
    'streams.auth.pepper': 'salt',
    'streams.max_body_bytes': 2 * 1024 * 1024,
    'log.level': 'warn',
    'streams.max_limit': 500,
  })
  expect([origins['server.host'], origins['server.port'], origins['server.shutdown_timeout']]).toEqual([
    'command line',
    'environment',
    'profile',
  ])
  expect([origins['log.level'], origins['streams.max_limit']]).toEqual(['file', 'default'])
})

test('all faults are told together, secrets are not', async () => {
  const file = written('bad.yaml', 'server: { prot: 1 }\nstreams: { max_limit: many, auth: { keys: perhaps } }\n')
  const reading = readSettings({ flags: {}, environment: { HEADRACE_SERVER_PORT: '99999' }, file })
  await expect(reading).rejects.toThrow(
    /no setting "server.prot".*server.port \(environment\).*streams.max_limit.*streams.auth.keys/s,
  )
})

test('files that extend each other are refused', async () => {
  written('a.yaml', 'extends: b.yaml\n')
  written('b.yaml', 'extends: a.yaml\n')
  await expect(readSettings({ flags: {}, environment: {}, file: join(folder, 'a.yaml') })).rejects.toThrow(
    /extends itself/,
  )
  await expect(readSettings({ flags: {}, environment: {}, file: join(folder, 'none.yaml') })).rejects.toThrow(/ENOENT/)
})
