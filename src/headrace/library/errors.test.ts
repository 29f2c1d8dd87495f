import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { errorKinds } from '../../core/error-kinds.ts'
import { HeadraceError } from '../../core/errors.ts'
import { createSink, createSource, parseUri } from './create.ts'
import { asDataSourceError, ConfigError, DataSourceError } from './errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-errors-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function thrown(task: () => unknown): Promise<DataSourceError> {
  try {
    await task()
  } catch (error) {
    expect(error).toBeInstanceOf(DataSourceError)
    return error as DataSourceError
  }
  throw new Error('nothing was thrown')
}

async function firstRecord(uri: string): Promise<unknown> {
  await using reader = await createSource(uri).createReader()
  return await reader.read(1, { waitMs: Number.POSITIVE_INFINITY })
}

/** A port of this machine where nobody listens. */
async function deafPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('every kind is raised by a source or sink', async () => {
  writeFileSync(join(folder, 'bad.jsonl'), '{"a":1}\n{"a":\n')
  const port = await deafPort()
  const raised: readonly (readonly [string, () => unknown])[] = [
    ['Configuration', () => createSource('file:///x?batch_rows=0')],
    ['Connection', () => firstRecord(`chain+http://127.0.0.1:${port}/?max_retries=0`)],
    [
      'Schema',
      async () =>
        await (await createSink('blackhole:').createWriter({ schema: 'a BIGINT' })).write({ value: { b: 1 } }),
    ],
    ['Io', () => firstRecord(join(folder, 'absent.jsonl'))],
    ['Unsupported', async () => await (await createSink('stdout:').createWriter()).beginTransaction()],
    ['SourceSpecific', () => firstRecord(`file:${join(folder, 'bad.jsonl')}?on_error=fail`)],
    ['SinkSpecific', async () => await (await createSink(join(folder, 'out/')).createWriter()).commitTransaction()],
  ]
  for (const [kind, task] of raised) {
    const error = await thrown(task)
    expect([kind, error.kind]).toEqual([kind, kind])
    expect(error.hint, `${kind}: ${error.message}`).toBeTypeOf('string')
    expect(error.toJSON()).toMatchObject({ kind, code: error.code, message: error.message })
    expect(error.class).toBe(errorKinds[error.code].class)
  }
})

test('errors of connectors keep their code, class and cause', () => {
  const cause = new HeadraceError('connector_throttled', 'slow down')
  const error = asDataSourceError(cause, 'sink') as DataSourceError
  expect([error.kind, error.code, error.class, error.retryable, error.cause]).toEqual([
    'Connection',
    'connector_throttled',
    'throttled',
    true,
    cause,
  ])
  const other = new TypeError('a bug')
  expect(asDataSourceError(other, 'source')).toBe(other)
})

test('no secret is in any error', async () => {
  const secret = 'hunter2'
  const tasks = [
    () => createSource(`chain+http://user:${secret}@h/?api_key=${secret}&bogus=1`),
    () => createSource(`chain+http://h/?api_key=${secret}`, { apiKey: `${secret}!`, rows: 'none' }),
    () => createSource(`chain+http://h/`, { apiKye: secret }),
    () => createSource(`kafka://u:${secret}@h:99999/t`),
    () => parseUri(`kafka://u:${secret}@h:x/t?password=${secret}`),
  ]
  for (const task of tasks) {
    const error = await thrown(task)
    expect(error).toBeInstanceOf(ConfigError)
    expect(`${error.message} ${JSON.stringify(error)} ${error.hint}`).not.toContain(secret)
  }
  const source = createSource(`chain+http://u:${secret}@127.0.0.1:${await deafPort()}/?api_key=${secret}&max_retries=0`)
  expect(source.uri).not.toContain(secret)
  const error = await thrown(
    async () => await (await source.createReader()).read(1, { waitMs: Number.POSITIVE_INFINITY }),
  )
  expect(`${error.message} ${JSON.stringify(error)} ${error.stack}`).not.toContain(secret)
  expect(JSON.stringify(await source.check())).not.toContain(secret)
})
