import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createSink, createSource, parseUri } from './create.ts'
import { ConfigError } from './errors.ts'
import type { StreamRecord } from './types.ts'

/** A variable, as it is written. */
const named = ['file:///$', '{NAME}'].join('')
const folder = mkdtempSync(join(tmpdir(), 'headrace-library-'))
afterAll(() => rmSync(folder, { recursive: true }))

const all = async (records: AsyncIterable<StreamRecord>): Promise<StreamRecord[]> => {
  const list: StreamRecord[] = []
  for await (const record of records) list.push(record)
  return list
}

describe('reading', () => {
  test('a CSV file gives typed rows, and goes on behind any record', async () => {
    const path = join(folder, 'orders.csv')
    writeFileSync(path, 'id;name;paid\n1;pear;true\n2;fig;false\n9007199254740993;"a;b";\n')
    await using source = createSource(`file://${path}?format=csv&delimiter=;`)
    const { fields } = await source.fetchSchema()
    expect(fields.map(({ name, type }) => `${name} ${type.kind}`)).toEqual(['id bigint', 'name string', 'paid boolean'])
    await using reader = await source.createReader({ bytes: true })
    const records = await all(reader)
    expect(records.map(({ value }) => value)).toEqual([
      { id: 1n, name: 'pear', paid: true },
      { id: 2n, name: 'fig', paid: false },
      { id: 9007199254740993n, name: 'a;b', paid: null },
    ])
    expect(Buffer.from(records[1]!.bytes!).toString()).toBe('2;fig;false')
    expect(reader.hasMore()).toBe(false)
    for (const [i, { offset, partition }] of records.entries()) {
      await using again = await source.createReader()
      await again.seek(offset, partition)
      expect((await all(again)).map(({ value }) => value)).toEqual(records.slice(i + 1).map(({ value }) => value))
    }
    await using half = await source.createReader()
    expect(await half.read(2)).toHaveLength(2)
    await using rest = await source.createReader({ from: half.position() })
    expect((await all(rest)).map(({ sequence }) => sequence)).toEqual([2n])
  })

  test('an endless source says that nothing is there now', async () => {
    const name = `memory://quiet-${process.pid}`
    await using sink = createSink(name)
    await using writer = await sink.createWriter()
    await writer.write({ value: { id: 1 } })
    await writer.flush()
    await using reader = await createSource(name).createReader()
    expect((await reader.read()).map(({ value }) => value)).toEqual([{ id: 1 }])
    expect(await reader.read()).toEqual([])
    expect(reader.hasMore()).toBe(true)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(reader.read(1, { signal })).rejects.toThrow('enough')
  })

  test('a file that grows is followed, across readers', async () => {
    const path = join(folder, 'growing.jsonl')
    writeFileSync(path, '{"id":1}\n{"id":2}\n')
    const source = createSource(`file:${path}?watch=true&poll_interval=100ms`)
    const ids = (records: readonly StreamRecord[]) => records.map(({ value }) => (value as { id: bigint }).id)
    const reader = await source.createReader()
    expect(ids(await reader.read(1, { waitMs: Number.POSITIVE_INFINITY }))).toEqual([1n])
    const position = reader.position()
    const pending = reader.read(5, { waitMs: Number.POSITIVE_INFINITY }).then(ids)
    expect(await pending).toEqual([2n])
    const more = reader.read(5, { waitMs: Number.POSITIVE_INFINITY }).then(ids)
    appendFileSync(path, '{"id":3}\n')
    expect(await more).toEqual([3n])
    const never = reader.read(5, { waitMs: Number.POSITIVE_INFINITY })
    await reader.close()
    expect(await never).toEqual([])
    await using again = await source.createReader({ from: position })
    expect(ids(await again.read(5, { waitMs: Number.POSITIVE_INFINITY }))).toEqual([2n, 3n])
  })

  test('bad records are told, counted, or end the reading', async () => {
    const path = join(folder, 'bad.jsonl')
    writeFileSync(path, '{"id":1}\n{"id":\n{"id":3}\n')
    const rejects: string[] = []
    await using reader = await createSource(path).createReader({ onReject: ({ code }) => rejects.push(code) })
    expect((await all(reader)).map(({ value }) => value)).toEqual([{ id: 1n }, { id: 3n }])
    expect(rejects).toEqual(['connector_record_invalid'])
    expect(reader.rejected).toBe(1)
    await using strict = await createSource(path, { onError: 'fail' }).createReader()
    await expect(all(strict)).rejects.toMatchObject({ kind: 'SourceSpecific', code: 'connector_record_invalid' })
  })

  test('what a source cannot do is an error that names the capability', async () => {
    await using reader = await createSource('datagen://rows?rows=3&field.id=seq(1,1)').createReader()
    await expect(reader.beginTransaction()).rejects.toMatchObject({
      kind: 'Unsupported',
      code: 'connector_operation_unsupported',
      details: { capability: 'transactions' },
    })
    expect((await all(reader)).map(({ value }) => value)).toEqual([{ id: 1n }, { id: 2n }, { id: 3n }])
  })
})

describe('writing', () => {
  test('a transaction on a file is there after the commit, and gone after the rollback', async () => {
    const path = join(folder, 'out.jsonl')
    await using sink = createSink(path)
    expect(await sink.metadata()).toMatchObject({ type: 'file', transactions: true, upsert: false })
    {
      await using writer = await sink.createWriter({ schema: 'id BIGINT NOT NULL, at TIMESTAMP' })
      await writer.write({ value: { id: 1, at: new Date(0) } })
      await writer.beginTransaction()
      await writer.write({ value: { id: 2n } })
      await writer.flush()
      await writer.rollback()
      await writer.beginTransaction()
      await writer.write({ value: { id: '3' } })
      await writer.commitTransaction()
      await writer.beginTransaction()
      await writer.write({ value: { id: 4 } })
    }
    expect(readFileSync(path, 'utf8')).toBe('{"id":1,"at":"1970-01-01T00:00:00Z"}\n{"id":3,"at":null}\n')
    expect(readdirSync(folder).filter((name) => name.startsWith('.headrace'))).toEqual([])
  })

  test('a folder gets new files at each commit', async () => {
    const target = join(folder, 'parts/')
    await using writer = await createSink(target).createWriter()
    const names = () => readdirSync(target).filter((name) => !name.startsWith('.'))
    await writer.write({ value: { id: 1n } })
    await writer.commit()
    expect(names()).toHaveLength(1)
    await writer.write({ value: { id: 2n } })
    await writer.rollback()
    await writer.write({ value: { id: 3n } })
    await writer.flush()
    expect(names()).toHaveLength(2)
    const text = names().map((name) => readFileSync(join(target, name), 'utf8'))
    expect(text.join('')).toBe('{"id":1}\n{"id":3}\n')
    await writer.close()
    // Nobody goes on behind it: there is no trace of it beside its files.
    expect(readdirSync(target).filter((name) => name.startsWith('.'))).toEqual([])
  })

  test('changes reach a channel with their kinds', async () => {
    const name = `memory://changes-${process.pid}?key=id`
    await using writer = await createSink(name).createWriter({ schema: 'id BIGINT, n DOUBLE', changes: true })
    await writer.write({ value: { id: 1, n: 1 } })
    await writer.update({ id: 1 }, { value: { n: 2 } })
    await writer.delete({ id: 1 })
    await writer.flush()
    await using reader = await createSource(name.split('?')[0]!).createReader()
    expect((await reader.read()).map(({ change, value }) => ({ change, value }))).toEqual([
      { change: 'insert', value: { id: 1n, n: 1 } },
      { change: 'update_after', value: { id: 1n, n: 2 } },
      { change: 'delete', value: { id: 1n, n: null } },
    ])
    await using plain = await createSink(join(folder, 'plain.jsonl')).createWriter()
    await expect(plain.delete({ id: 1 })).rejects.toMatchObject({
      kind: 'Unsupported',
      details: { capability: 'delete' },
    })
  })

  test('a row that does not fit is refused, and the others are written', async () => {
    const path = join(folder, 'fit.jsonl')
    await using writer = await createSink(path).createWriter()
    await writer.write({ value: { a: 1 } })
    await expect(writer.write({ value: { a: 'x' } })).rejects.toMatchObject({ kind: 'Schema' })
    await writer.flush()
    await expect(writer.write({ value: { b: 1 } })).rejects.toMatchObject({ kind: 'Schema' })
    await writer.write({ value: { a: 2 } })
    await writer.close()
    expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n{"a":2}\n')
  })
})

describe('naming', () => {
  const problems = (task: () => unknown): unknown => {
    try {
      task()
    } catch (error) {
      return (error as ConfigError).problems.map(({ code, option }) => `${code} ${option ?? ''}`.trim())
    }
    return undefined
  }

  test('all that is wrong comes at once', () => {
    expect(
      problems(() =>
        createSource('file:///x.csv?batch_rows=0&colour=red&format=csv', { format: 'tsv', skipLines: 'no' }),
      ),
    ).toEqual([
      'connector_option_invalid batch_rows',
      'connector_option_unknown colour',
      'connector_option_invalid skipLines',
      'connector_option_conflict format',
    ])
    expect(problems(() => createSource('file:///x.csv?format=csv', { format: 'csv' }))).toBeUndefined()
    expect(problems(() => createSource('memory://a?capacity=8', { capacity: 8 }))).toBeUndefined()
  })

  test('an unknown scheme and the wrong side', () => {
    expect(() => createSource('fiel:///x')).toThrow('No factory registered for source scheme: fiel')
    expect(() => createSink('blackhol:')).toThrow('No factory registered for sink scheme: blackhol')
    expect(problems(() => createSink('datagen://x'))).toEqual(['connector_side_unsupported'])
    expect(new ConfigError([{ code: 'connector_uri_invalid', message: 'm' }]).toJSON()).toMatchObject({
      kind: 'Configuration',
      code: 'connector_uri_invalid',
    })
  })

  test('a connector that is not built yet fails on first use', async () => {
    const sink = createSink('kafka://b1:9092,b2:9092/orders', { acks: 'all' })
    await expect(sink.createWriter()).rejects.toMatchObject({ kind: 'Unsupported', code: 'not_implemented' })
  })

  test('variables come from the environment, unless they are turned off', async () => {
    const path = join(folder, 'named.jsonl')
    writeFileSync(path, '{"id":1}\n')
    const environment = { NAME: 'named' }
    await using reader = await createSource(`file://${folder}/\${NAME}.jsonl`, {}, { environment }).createReader()
    expect(await all(reader)).toHaveLength(1)
    expect(createSource(named, {}, { env: false }).uri).toBe(named)
    // A text that was read without variables is read again with them.
    const text = `file:\${NAME}.jsonl`
    expect(parseUri(text, { env: false }).path).toEqual([`\${NAME}.jsonl`])
    expect(parseUri(text, { environment }).path).toEqual(['named.jsonl'])
    expect(problems(() => createSource(named, {}, { environment: {} }))).toEqual(['connector_uri_invalid NAME'])
  })
})
