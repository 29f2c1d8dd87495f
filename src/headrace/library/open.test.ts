import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Connector } from '../../connectors/contract.ts'
import { HeadraceErrors } from '../../core/errors.ts'
import { integer } from '../../core/options.ts'
import { BatchBuilder } from '../../core/row-batch.ts'
import { createSink, createSource } from './create.ts'
import { Headrace } from './open.ts'
import { ConnectorRegistry } from './registry.ts'
import { schemaOf } from './schema-text.ts'
import type { Row } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-open-'))
afterAll(() => rmSync(folder, { recursive: true }))

const open = (): Promise<Headrace> => Headrace.open({ baseDirectory: folder, dataDir: join(folder, 'state') })

test('a query gives its columns and its rows, once', async () => {
  await using headrace = await open()
  const query = await headrace.sql(
    'SELECT n AS id, CAST(n AS DECIMAL(6,2)) / 4 AS part FROM GENERATE_SERIES(1, 3) AS s(n)',
  )
  expect(query.kind).toBe('query')
  expect(query.schema!.fields.map(({ name, type }) => `${name} ${type.kind}`)).toEqual(['id bigint', 'part decimal'])
  expect(query.status().state).toBe('ready')
  const rows = await query.all()
  expect(rows.map(({ id }) => id)).toEqual([1n, 2n, 3n])
  expect(String(rows[0]!['part'])).toMatch(/^0\.25/)
  expect(query.status()).toMatchObject({ state: 'completed', rowsOut: 3 })
  await expect(query.all()).rejects.toMatchObject({ code: 'library_usage' })
})

test('parameters keep their types', async () => {
  await using headrace = await open()
  const at = new Date('2026-01-31T10:00:00Z')
  const query = await headrace.sql('SELECT :text AS text, :n + 1 AS n, :half * 2 AS d, :at AS at, :yes AS yes', {
    text: '17',
    n: 41,
    half: 0.5,
    at,
    yes: true,
  })
  expect(await query.all()).toEqual([{ text: '17', n: 42n, d: 1, at: BigInt(at.getTime()) * 1000n, yes: true }])
  expect(await (await headrace.sql('SELECT $1 AS a, $2 AS b', ['x', 5n])).all()).toEqual([{ a: 'x', b: 5n }])
})

test('an endless query ends when its reader breaks off', async () => {
  await using headrace = await open()
  const query = await headrace.sql("SELECT id FROM 'datagen://rows?field.id=seq(1,1)'")
  const seen: Row[] = []
  for await (const row of query) {
    seen.push(row)
    if (seen.length === 3) break
  }
  expect(seen).toEqual([{ id: 1n }, { id: 2n }, { id: 3n }])
  expect(query.status().state).toBe('stopped')
})

test('a changelog query says what each row is', async () => {
  await using headrace = await open()
  writeFileSync(join(folder, 'clicks.jsonl'), '{"page":"a"}\n{"page":"b"}\n{"page":"a"}\n')
  const query = await headrace.sql("SELECT page, COUNT(*) AS n FROM 'clicks.jsonl' GROUP BY page EMIT CHANGES")
  expect(query.schema!.fields[0]!.name).toBe('_op')
  const table = new Map<unknown, unknown>()
  for (const { _op, page, n } of await query.all()) {
    if (_op === '+I' || _op === '+U') table.set(page, n)
  }
  expect([...table].sort()).toEqual([
    ['a', 2n],
    ['b', 1n],
  ])
})

test('a statement with a sink runs at once and tells what it did', async () => {
  await using headrace = await open()
  const pipeline = await headrace.sql("INSERT INTO 'sums.jsonl' SELECT n FROM GENERATE_SERIES(1, 10) AS s(n)")
  expect(pipeline.kind).toBe('pipeline')
  expect(await pipeline.done()).toMatchObject({ complete: true, rowsOut: [{ rows: 10 }] })
  expect(readFileSync(join(folder, 'sums.jsonl'), 'utf8').trim().split('\n')).toHaveLength(10)
  expect(headrace.pipelines().map(({ id }) => id)).toEqual([pipeline.id])
  await expect(pipeline.all()).rejects.toMatchObject({ code: 'library_usage' })
})

test('a channel of the handle is written by code and read by SQL', async () => {
  await using headrace = await open()
  await using writer = await createSink('memory://orders', {}, { instance: headrace }).createWriter({
    schema: 'id BIGINT, total DOUBLE',
  })
  await writer.write({ value: { id: 1, total: 5 } })
  await writer.flush()
  const query = await headrace.sql("SELECT id, total * 2 AS twice FROM 'memory://orders' WHERE total > 1")
  const rows = query[Symbol.asyncIterator]()
  expect((await rows.next()).value).toEqual({ id: 1n, twice: 10 })
  await writer.write({ value: { id: 2, total: 7 } })
  await writer.flush()
  expect((await rows.next()).value).toEqual({ id: 2n, twice: 14 })
  await rows.return?.()
  await expect(createSource('memory://orders').fetchSchema()).rejects.toMatchObject({ kind: 'Schema' })
})

test('a stream is pushed by code, read from SQL by its name, and seen by every subscriber', async () => {
  await using headrace = await open()
  const clicks = headrace.stream('clicks', { schema: await schemaOf('page STRING, at TIMESTAMP') })
  expect(headrace.stream('clicks')).toBe(clicks)
  const query = await headrace.sql("SELECT page, at FROM clicks WHERE page <> 'b'")
  const rows = query[Symbol.asyncIterator]()
  const first = rows.next()
  await clicks.source.push({ page: 'a', at: new Date(0) })
  expect((await first).value).toEqual({ page: 'a', at: 0n })
  const subscription = clicks.sink.subscribe()
  await clicks.source.push({ page: 'b' })
  await clicks.source.push({ page: 'c', at: 5n })
  expect((await rows.next()).value).toEqual({ page: 'c', at: 5n })
  expect(await subscription.recv()).toEqual({ page: 'b' })
  await rows.return?.()
})

test('a connector of somebody else is read by SQL and by createSource', async () => {
  const registry = new ConnectorRegistry()
  const letters: Connector = {
    name: 'letters',
    schemes: ['letters'],
    summary: 'Letters of the alphabet.',
    options: { count: integer('How many.', { default: 3, min: 1, max: 26, side: 'source' }) },
    capabilities: {
      source: {
        resume: 'offset',
        retention: 'kept',
        order: 'total',
        changes: 'append',
        bounded: 'always',
        pushdown: 'columns',
      },
    },
    bounded: () => true,
    discover: async () => ({
      columns: [
        {
          name: 'letter',
          type: { kind: 'string' },
          nullable: false,
          origin: 'catalogue',
          nullShare: 0,
          examples: [],
          confidence: 1,
        },
      ],
      key: [],
      eventTimeCandidates: [],
      rowsSeen: 0,
      bytesSeen: 0,
      warnings: [],
      format: undefined,
    }),
    openSource: async ({ schema, memory, options, columns }) => ({
      incarnation: async () => 'letters',
      async *splits() {
        yield { kind: 'added', split: { id: 'all' } }
        yield { kind: 'complete' }
      },
      open: () => {
        const builder = new BatchBuilder(schema, 1, memory)
        return {
          async *read(from) {
            for (let i = Number(from?.slice(3) ?? 0); i < (options['count'] as number); i++) {
              builder.reset()
              builder.append(columns.map(() => String.fromCharCode(97 + i)))
              yield { kind: 'batch', batch: builder.finish(), next: `l1:${i + 1}` }
            }
          },
          [Symbol.asyncDispose]: async () => builder[Symbol.dispose](),
        }
      },
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  }
  registry.registerConnector(letters)
  expect(() => registry.registerConnector(letters)).toThrow('registered already')
  registry.registerConnector(letters, { replace: true })
  expect(registry.describe('letters').source).toMatchObject({ properties: { count: { maximum: 26 } } })
  expect(registry.sourceSchemes()).toContain('letters')

  await using headrace = await Headrace.open({ registry, state: false })
  const query = await headrace.sql("SELECT letter FROM 'letters:?count=2'")
  expect(await query.all()).toEqual([{ letter: 'a' }, { letter: 'b' }])
  await using reader = await createSource('letters:', {}, { instance: headrace }).createReader()
  expect((await reader.read()).map(({ value }) => value)).toEqual([{ letter: 'a' }])
  await reader.seek(reader.position())
  expect((await reader.read()).map(({ value, offset }) => [value, offset])).toEqual([[{ letter: 'b' }, 'l1:2']])
  expect(registry.unregister('letters')).toBe(true)
  expect(() => createSource('letters:', {}, { registry })).toThrow('No factory registered for source scheme: letters')
  expect(() => createSource('file:x', {}, { registry: new ConnectorRegistry({ builtins: false }) })).toThrow(
    'No factory',
  )
})

test('a named pipeline keeps its progress: checkpoint, pause, stop, and on', async () => {
  const text = "-- @name counted\nINSERT INTO 'counted/' SELECT id FROM 'datagen://rows?field.id=seq(1,1)&rate=2000'"
  {
    await using headrace = await open()
    const pipeline = await headrace.sql(text)
    expect(pipeline.id).toBe('counted')
    await expect(headrace.sql(text)).rejects.toMatchObject({ code: 'library_usage' })
    expect(await headrace.checkpoint()).toBeGreaterThan(0n)
    await pipeline.pause()
    expect(headrace.pipeline('counted').status().state).toBe('paused')
    const { rowsIn } = pipeline.status()
    expect(await headrace.checkpoint('counted')).toBeGreaterThan(0n)
    expect(pipeline.status().rowsIn).toBe(rowsIn)
    await pipeline.resume()
    await pipeline.stop()
    expect(pipeline.status().state).toBe('stopped')
  }
  const before = idsIn('counted')
  await using headrace = await open()
  const pipeline = await headrace.sql(text)
  await headrace.checkpoint()
  await pipeline.stop()
  const after = idsIn('counted')
  expect(after.length).toBeGreaterThanOrEqual(before.length)
  expect(after).toEqual(after.map((_, i) => i + 1))
})

function idsIn(name: string): number[] {
  const files = readdirSync(join(folder, name)).filter((file) => !file.startsWith('.'))
  const ids = files.flatMap((file) =>
    readFileSync(join(folder, name, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: number }).id),
  )
  return ids.sort((a, b) => a - b)
}

test('a pipeline without state is paused and resumed, too', async () => {
  await using headrace = await open()
  const pipeline = await headrace.sql("INSERT INTO 'blackhole:' SELECT id FROM 'datagen://rows?field.id=seq(1,1)'")
  await pipeline.pause()
  const { rowsIn, state } = pipeline.status()
  expect(state).toBe('paused')
  await new Promise(setImmediate)
  expect(pipeline.status().rowsIn).toBe(rowsIn)
  await pipeline.resume()
  await expect(pipeline.checkpoint()).rejects.toMatchObject({ code: 'checkpoint_disabled' })
  await headrace.close()
  expect(pipeline.status().state).toBe('stopped')
  await expect(headrace.sql('SELECT 1')).rejects.toMatchObject({ code: 'library_usage' })
})

test('close drains what ends by itself', async () => {
  const headrace = await open()
  const pipeline = await headrace.sql(
    "INSERT INTO 'drained.jsonl' SELECT id FROM 'datagen://r?rows=50000&field.id=seq(1,1)'",
  )
  await headrace.close({ drain: true })
  expect(pipeline.status()).toMatchObject({ state: 'completed', rowsOut: 50_000 })
})

test('faults have places and fixes', async () => {
  await using headrace = await open()
  writeFileSync(join(folder, 'people.csv'), 'name,age\nann,3\n')
  const problems = await headrace.validate("SELECT nme, FOO(age)\nFROM 'people.csv'")
  expect(problems.map(({ code, line, column }) => [code, line, column])).toEqual([
    ['sql_column_not_found', 1, 8],
    ['sql_function_not_found', 1, 13],
  ])
  expect(problems[0]!.fix).toContain('name')
  expect(await headrace.validate("SELECT name FROM 'people.csv'")).toEqual([])
  await expect(headrace.sql("SELECT nme, FOO(age) FROM 'people.csv'")).rejects.toBeInstanceOf(HeadraceErrors)
  expect(await headrace.explain("SELECT name FROM 'people.csv'", { stage: 'delivery' })).toContain('people.csv')
  expect(await (await headrace.sql("EXPLAIN SELECT name FROM 'people.csv'")).all()).toHaveLength(1)
})

test('what a pipeline fails of is told by status and by done', async () => {
  await using headrace = await open()
  writeFileSync(join(folder, 'bad.jsonl'), '{"a":1}\n{"a":\n')
  const pipeline = await headrace.sql("INSERT INTO 'never.jsonl' SELECT a FROM 'file:bad.jsonl?on_error=fail'")
  await expect(pipeline.done()).rejects.toMatchObject({ code: 'connector_record_invalid' })
  expect(pipeline.status()).toMatchObject({ state: 'failed', error: { code: 'connector_record_invalid' } })
})

test('a signal stops it, and whoever waits gets the reason', async () => {
  await using headrace = await open()
  const stop = new AbortController()
  const endless = "SELECT id FROM 'datagen://rows?field.id=seq(1,1)'"
  const query = await headrace.sql(endless, {}, { signal: stop.signal })
  const rows = query[Symbol.asyncIterator]()
  await rows.next()
  const pipeline = await headrace.sql(`INSERT INTO 'blackhole:' ${endless}`, {}, { signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(pipeline.done()).rejects.toThrow('enough')
  await expect(
    (async () => {
      for (;;) if ((await rows.next()).done === true) return
    })(),
  ).rejects.toThrow('enough')
  expect([query.status().state, pipeline.status().state]).toEqual(['stopped', 'stopped'])
  await expect(headrace.sql('SELECT 1', {}, { signal: stop.signal })).rejects.toThrow('enough')
})

test('a query that is stopped by somebody else ends for its reader; one that fails tells it', async () => {
  await using headrace = await open()
  const query = await headrace.sql("SELECT id FROM 'datagen://rows?field.id=seq(1,1)'")
  const rows = query[Symbol.asyncIterator]()
  await rows.next()
  await headrace.pipeline(query.id).stop()
  for (let left = 10_000; (await rows.next()).done !== true; left--) expect(left).toBeGreaterThan(0)
  writeFileSync(join(folder, 'late.jsonl'), `${'{"a":1}\n'.repeat(5000)}{"a":\n`)
  const failing = await headrace.sql("SELECT a FROM 'file:late.jsonl?on_error=fail&batch_rows=100'")
  await expect(failing.all()).rejects.toMatchObject({ code: 'connector_record_invalid' })
  expect(failing.status().state).toBe('failed')
})
