import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { copy } from './copy.ts'
import { createSink, createSource } from './create.ts'
import { Headrace } from './open.ts'
import { registerFormat } from './register-format.ts'
import type { RejectedRecord } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-formats-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string): string => join(folder, name)

/** `key=value key=value` on each line; `#` begins a comment; `n` is a number. */
const logfmt = {
  decode: (record: Uint8Array) => {
    const line = Buffer.from(record).toString()
    if (line.startsWith('#')) return null
    const pairs = line.split(' ').map((pair): [string, string | bigint] => {
      const [key = '', value] = pair.split('=')
      if (value === undefined) throw new Error(`"${pair}" is no pair`)
      return [key, key === 'n' ? BigInt(value) : value]
    })
    return Object.fromEntries(pairs)
  },
  encode: (row: object) =>
    Object.entries(row)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
}
registerFormat('logfmt', logfmt, { replace: true })

test('records of a format of one’s own become rows, and rows records', async () => {
  writeFileSync(at('a.log'), '# what happened\nlevel=info n=1\r\nlevel=warn n=2\nbroken\nlevel=info n=3')
  const rejects: RejectedRecord[] = []
  await using source = createSource(at('a.log'), { format: 'logfmt' })
  await using reader = await source.createReader({ onReject: (reject) => rejects.push(reject), bytes: true })
  const records = await reader.read(10)
  expect(records.map(({ value, sequence }) => [value, sequence])).toEqual([
    [{ level: 'info', n: 1n }, 1n],
    [{ level: 'warn', n: 2n }, 2n],
  ])
  expect(Buffer.from(records[0]!.bytes!).toString()).toBe('level=info n=1')
  expect((await reader.read()).map(({ value }) => value)).toEqual([{ level: 'info', n: 3n }])
  expect(rejects.map(({ code, detail }) => [code, detail])).toEqual([
    ['connector_record_invalid', '"broken" is no pair'],
  ])

  await using again = await source.createReader()
  await again.seek(records[1]!.offset, records[1]!.partition)
  expect((await again.read()).map(({ value }) => value)).toEqual([{ level: 'info', n: 3n }])

  await copy(createSource(at('a.log'), { format: 'logfmt' }), createSink(at('b.log'), { format: 'logfmt' }))
  expect(readFileSync(at('b.log'), 'utf8')).toBe('level=info n=1\nlevel=warn n=2\nlevel=info n=3\n')
})

test('SQL reads and writes it, in batches of any size', async () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `level=${n % 3 === 0 ? 'warn' : 'info'} n=${n}`)
  writeFileSync(at('many.log'), `${lines.join('\n')}\n`)
  await using headrace = await Headrace.open({ baseDirectory: folder, state: false })
  const sums = await headrace.sql(
    "SELECT level, COUNT(*) AS count, CAST(SUM(n) AS BIGINT) AS sum FROM 'file:many.log?format=logfmt&read_bytes=4096' GROUP BY level ORDER BY level LIMIT 5",
  )
  expect(await sums.all()).toEqual([
    { level: 'info', count: 13_333n, sum: BigInt((19_999 * 20_000) / 2) - BigInt((6666 * 6667 * 3) / 2) },
    { level: 'warn', count: 6667n, sum: BigInt((6666 * 6667 * 3) / 2) },
  ])
})

test('names are checked, and one way is enough', async () => {
  expect(() => registerFormat('logfmt', logfmt)).toThrow('cannot be registered')
  expect(() => registerFormat('csv', logfmt, { replace: true })).toThrow('cannot be registered')
  expect(() => registerFormat('Log', logfmt)).toThrow('cannot be registered')
  registerFormat('readonly', { decode: logfmt.decode }, { replace: true })
  await using writer = await createSink(at('c.log'), { format: 'readonly' }).createWriter()
  await writer.write({ value: { a: 1 } })
  await expect(writer.flush()).rejects.toMatchObject({ kind: 'SinkSpecific', code: 'connector_operation_unsupported' })
  await writer.rollback().catch(() => undefined)
  expect(() => createSource(at('a.log'), { format: 'logfnt' })).toThrow('"logfnt" is not allowed')
})
