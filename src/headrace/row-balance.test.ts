import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sink } from '../connectors/contract.ts'
import { DeadLetters } from './dead-letters.ts'
import { Engine } from './engine.ts'
import { Pipeline } from './pipeline.ts'
import { balanceOf, type RowBalance } from './row-balance.ts'
import { compileScript } from './script.ts'

let baseDirectory: string
beforeAll(() => {
  baseDirectory = mkdtempSync(join(tmpdir(), 'headrace-balance-'))
  const good = Array.from({ length: 10 }, (_, a) => `{"a":${a},"b":${a % 3}}\n`)
  writeFileSync(join(baseDirectory, 'in.jsonl'), [...good.slice(0, 5), '{"a":}\n', ...good.slice(5)].join(''))
})
afterAll(() => rmSync(baseDirectory, { recursive: true }))

const nobody: Sink = {
  write: async () => [],
  flush: async () => [],
  health: async () => ({ state: 'healthy', issues: [] }),
  [Symbol.asyncDispose]: async () => undefined,
}

async function balance(text: string): Promise<RowBalance | undefined> {
  const engine = new Engine({ baseDirectory, batchRows: 3 })
  const script = { file: 's.sql', text, baseDirectory, name: undefined, parameters: new Map() }
  const { plan } = await compileScript(engine, script)
  const deadLetters = new DeadLetters(() => undefined)
  const pipeline = new Pipeline(engine, { plan, baseDirectory, deadLetters, client: () => nobody })
  return (await pipeline.run(new AbortController().signal)).balance
}

const from = (more = ''): string => `CREATE STREAM s (a BIGINT, b BIGINT) FROM 'file:in.jsonl${more}';`

test.each<[string, Omit<RowBalance, 'in' | 'late'>]>([
  [`${from()} SELECT a FROM s`, { out: 10, filtered: 0, dlq: 1, skipped: 0 }],
  [`${from()} SELECT a FROM s WHERE a < 4`, { out: 4, filtered: 6, dlq: 1, skipped: 0 }],
  // One row fails once, however many of its expressions do: b is 0 in four rows, of which one is filtered.
  [`${from()} SELECT a / b AS x, a % b AS y FROM s WHERE a > 0`, { out: 6, filtered: 1, dlq: 4, skipped: 0 }],
  [`${from('?on_error=skip')} SELECT a FROM s WHERE a < 4`, { out: 4, filtered: 6, dlq: 0, skipped: 1 }],
])('every record is out, filtered, a dead letter or skipped: %s', async (text, expected) => {
  expect(await balance(text)).toEqual({ in: 11, late: 0, ...expected })
})

test.each([
  `${from()} SELECT COUNT(*) AS n FROM s`,
  `${from()} SELECT a FROM s; SELECT b FROM s`,
  `${from()} SELECT a FROM s LIMIT 2`,
  `${from()} SELECT a FROM s UNION ALL SELECT b FROM s`,
])('rows that are joined, doubled or cut are not added up: %s', async (text) => {
  expect(await balance(text)).toBeUndefined()
})

test('numbers that cannot be are not told', () => {
  const none = { rowsIn: 0, rowsOut: 0, lateRows: 0, undecoded: 0, rejected: 0, skipped: 0 }
  expect(balanceOf({ ...none, rowsOut: 1 })).toBeUndefined()
})
