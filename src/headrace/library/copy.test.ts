import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { GenericMessage } from '../../processor/message.ts'
import { checkAll } from './check.ts'
import { copy } from './copy.ts'
import { createSink, createSource } from './create.ts'
import { createConsumer, toConsumer } from './message-consumer.ts'
import { toSink } from './message-sink.ts'
import { ConnectorRegistry } from './registry.ts'
import type { RejectedRecord } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-copy-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

describe('copy', () => {
  test('from CSV to JSON lines, with its counts', async () => {
    writeFileSync(at('a.csv'), 'id,name\n1,pear\n2,fig\n')
    const counts = await copy(createSource(at('a.csv')), createSink(at('a.jsonl')))
    expect(counts).toEqual({
      read: 2,
      written: 2,
      failed: 0,
      bytes: expect.any(Number),
      resumed: false,
      wasComplete: false,
    })
    expect(counts.bytes).toBeGreaterThan(10)
    expect(readFileSync(at('a.jsonl'), 'utf8')).toBe('{"id":1,"name":"pear"}\n{"id":2,"name":"fig"}\n')
  })

  test('bad records end it, are counted, or are told one by one', async () => {
    writeFileSync(at('bad.jsonl'), `{"id":1}\n${'{"id":\n'.repeat(12)}{"id":3}\n`)
    const source = () => createSource(at('bad.jsonl'))
    const sink = () => createSink('blackhole:')
    await expect(copy(source(), sink(), { onError: 'fail' })).rejects.toMatchObject({ kind: 'SourceSpecific' })
    expect(await copy(source(), sink(), { onError: 'skip' })).toMatchObject({ read: 14, written: 2, failed: 12 })
    const told: RejectedRecord[] = []
    const onError = (record: RejectedRecord): void => void told.push(record)
    expect(await copy(source(), sink(), { onError })).toMatchObject({ read: 14, written: 2, failed: 12 })
    expect(told).toHaveLength(12)
    expect(Buffer.from(told[0]!.bytes).toString()).toContain('{"id":')
  })

  test('options, variables and a declared schema come along', async () => {
    writeFileSync(at('b.csv'), '1;x\n2;y\n')
    const { schemaOf } = await import('./schema-text.ts')
    const schema = await schemaOf('col_0 STRING, col_1 STRING')
    const source = createSource(at('b.csv'), { delimiter: ';', header: false, maxRecords: 1 }, { schema })
    await copy(source, createSink(at('b.out.csv'), { format: 'csv', header: false }))
    expect(readFileSync(at('b.out.csv'), 'utf8')).toBe('1,x\n')
  })

  test('says when it went on, and when there was nothing left to copy', async () => {
    writeFileSync(at('again.csv'), 'id,name\n1,pear\n2,fig\n')
    const run = () => copy(createSource(at('again.csv')), createSink(at('again/')), { checkpoint: at('again.state') })
    const first = await run()
    expect(first).toMatchObject({ read: 2, written: 2, resumed: false, wasComplete: false })
    expect(await run()).toEqual({ ...first, resumed: true, wasComplete: true })
  })

  test('an aborted signal ends an endless copy with its reason', async () => {
    const stop = new AbortController()
    const task = copy(createSource('datagen://r?field.id=seq(1,1)&rate=1000'), createSink('blackhole:'), {
      signal: stop.signal,
    })
    stop.abort(new Error('enough'))
    await expect(task).rejects.toThrow('enough')
  })

  test('sources of a factory are copied record by record, and go on behind their last commit', async () => {
    writeFileSync(at('c.jsonl'), Array.from({ length: 10 }, (_, id) => `{"id":${id}}\n`).join(''))
    const registry = new ConnectorRegistry()
    // Hides the class, so that the general way is taken.
    registry.registerSource('plain', (uri) => {
      const inner = createSource(uri.replace('plain:', 'file:'))
      return {
        uri,
        metadata: () => inner.metadata(),
        fetchSchema: (o) => inner.fetchSchema(o),
        createReader: (o) => inner.createReader(o),
        check: (o) => inner.check(o),
        close: () => inner.close(),
        [Symbol.asyncDispose]: () => inner.close(),
      }
    })
    const source = () => createSource(`plain:${at('c.jsonl')}`, {}, { registry })
    const checkpoint = at('progress')
    let failAt = 5
    const target = (): ReturnType<typeof createSink> => {
      const inner = createSink(at('c.out.jsonl'))
      return {
        ...inner,
        uri: inner.uri,
        metadata: () => inner.metadata(),
        validateSchema: (s) => inner.validateSchema(s),
        check: (o) => inner.check(o),
        close: () => inner.close(),
        [Symbol.asyncDispose]: () => inner.close(),
        createWriter: async (o) => {
          const writer = await inner.createWriter(o)
          const write = writer.write.bind(writer)
          writer.write = async (record) => {
            if (failAt-- === 0) throw new Error('the target went away')
            await write(record)
          }
          return writer
        },
      }
    }
    await expect(copy(source(), target(), { batch: 2, checkpoint, onError: 'fail' })).rejects.toThrow('went away')
    failAt = -1
    const options = { batch: 2, checkpoint, onError: 'fail' } as const
    const second = await copy(source(), target(), options)
    expect(second).toMatchObject({ read: 10, written: 10, failed: 0, bytes: 80, resumed: true, wasComplete: false })
    expect(await copy(source(), target(), options)).toEqual({ ...second, wasComplete: true })
    const ids = readFileSync(at('c.out.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { id: number }).id)
    expect([...new Set(ids)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(ids.length).toBeLessThanOrEqual(12)
  })
})

describe('messages', () => {
  test('are the records as they were read, with their offsets', async () => {
    writeFileSync(at('m.csv'), 'id,name\n1,pear\n2,"a, b"\n')
    const consumer = createConsumer(at('m.csv'), {}, { checkpoint: at('m.progress') })
    const first = (await consumer.consume())!
    expect(Buffer.from(first.message.payload).toString()).toBe('1,pear')
    expect(first.message.contentType).toBe('text/csv')
    await consumer.commit(first.offset!, first.partition)
    await consumer.close?.()
    const next = createConsumer(at('m.csv'), {}, { checkpoint: at('m.progress') })
    expect(Buffer.from((await next.consume())!.message.payload).toString()).toBe('2,"a, b"')
    expect(await next.consume()).toBeNull()
    expect(await next.consume()).toBeNull()
    await next.close?.()
  })

  test('of a source without bytes are rows as JSON, exact', async () => {
    const consumer = toConsumer(createSource('datagen://r?rows=1&field.id=seq(9007199254740991,1)'))
    const { message } = (await consumer.consume())!
    expect(Buffer.from(message.payload).toString()).toBe('{"id":9007199254740991}')
    expect(message.contentType).toBe('application/json')
    await consumer.close?.()
  })

  test('have no change, unless they are asked for', async () => {
    const name = `memory://revised-${process.pid}`
    await using writer = await createSink(name).createWriter({ schema: 'id BIGINT', changes: true })
    await writer.delete({ id: 1 })
    await writer.flush()
    const plain = createConsumer(name)
    const refused = plain.consume()
    await expect(refused).rejects.toMatchObject({ kind: 'Unsupported' })
    await plain.close?.()
    await writer.delete({ id: 2 })
    await writer.flush()
    const envelope = createConsumer(name, {}, { changelog: 'envelope' })
    const { message } = (await envelope.consume())!
    expect(JSON.parse(Buffer.from(message.payload).toString())).toEqual({ change: 'delete', row: { id: 2 } })
    await envelope.close?.()
  })

  test('reach a sink as rows', async () => {
    const sink = toSink(createSink(at('sent.jsonl')), { schema: 'id BIGINT, name STRING' })
    await sink.send(new GenericMessage('1', '{"id":9007199254740993,"name":"x"}', 'test', 'application/json'))
    await sink.flush?.()
    await expect(sink.send(new GenericMessage('2', '{', 'test', 'application/json'))).rejects.toMatchObject({
      code: 'connector_record_invalid',
    })
    await sink[Symbol.asyncDispose]()
    expect(readFileSync(at('sent.jsonl'), 'utf8')).toBe('{"id":9007199254740993,"name":"x"}\n')
  })
})

test('many are checked at once', async () => {
  const results = await checkAll([
    createSource(at('none.csv')),
    createSource(`${folder}/`),
    createSource('datagen://r?rows=1&field.id=seq(1,1)'),
    createSink('kafka://b1/orders'),
    createSink('blackhole:'),
    createSink(at('new/folder/day={date}/')),
    createSink('/proc/nowhere/x.jsonl'),
  ])
  expect(results.map(({ state }) => state)).toEqual([
    'unhealthy',
    'healthy',
    'healthy',
    'unknown',
    'healthy',
    'healthy',
    'unhealthy',
  ])
  expect(results[0]!.issues[0]).toMatchObject({ code: 'target exists', hint: expect.any(String) })
})
