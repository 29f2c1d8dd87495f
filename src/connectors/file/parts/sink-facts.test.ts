import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { endpoint } from '../../../headrace/endpoint.ts'

const base = mkdtempSync(join(tmpdir(), 'headrace-facts-'))
afterAll(() => rmSync(base, { recursive: true }))

test('the level follows target and options', async () => {
  const facts = async (text: string, bounded = true) => {
    const { connector, uri, options } = await endpoint(text, 'sink')
    return connector.sinkFacts!(uri, options, { bounded, baseDirectory: base })
  }
  expect(await facts('out.csv')).toMatchObject({ delivery: 'transactional' })
  expect(await facts('out/', false)).toMatchObject({ delivery: 'transactional' })
  expect(await facts(base, false)).toMatchObject({ delivery: 'transactional' })
  expect(await facts('file:out/{date}', false)).toMatchObject({ delivery: 'transactional' })
  expect(await facts('out.csv', false)).toMatchObject({
    delivery: 'idempotent',
    raiseBy: 'a folder as target',
  })
  expect(await facts('file:out.csv?write_mode=append')).toMatchObject({ delivery: 'idempotent' })
  expect(await facts('file:out/?fsync=never')).toMatchObject({
    delivery: 'at-most-once',
    raiseBy: 'fsync = commit',
  })
  expect(await facts('/dev/null')).toMatchObject({ delivery: 'at-least-once' })
})
