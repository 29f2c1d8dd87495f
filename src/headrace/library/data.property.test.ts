import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { freshSeed, Random } from '../../core/random.ts'
import { createSink, createSource } from './create.ts'
import type { DataReader, DataSource, DataWriter, StreamRecord } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-property-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SEED = Number(process.env['HEADRACE_SEED'] ?? freshSeed())
const ROUNDS = Number(process.env['HEADRACE_LIBRARY_ROUNDS'] ?? 3)
const rounds = Array.from({ length: ROUNDS }, (_, i) => SEED + i)

/** Files of a random format with a unique number in each row, some with bad lines; where reading them whole leads. */
function makeSource(random: Random, name: string): DataSource {
  const inside = join(folder, name)
  mkdirSync(inside)
  const format = random.pick(['jsonl', 'csv', 'json'])
  const isPacked = random.below(3) === 0
  let id = 0
  for (let file = random.below(4); file >= 0; file--) {
    const lines: string[] = format === 'csv' ? ['id,pad'] : []
    for (let row = random.below(60); row >= 0; row--) {
      if (format === 'jsonl' && random.below(10) === 0) lines.push('{"id":')
      const pad = 'x'.repeat(random.below(200))
      lines.push(format === 'csv' ? `${++id},${pad}` : `{"id":${++id},"pad":"${pad}"}`)
    }
    const text = `${lines.join('\n')}${random.below(2) === 0 ? '\n' : ''}`
    const path = join(inside, `${file}.${format}${isPacked ? '.gz' : ''}`)
    writeFileSync(path, isPacked ? gzipSync(text) : text)
  }
  return createSource(`${inside}/`, { batchRows: 1 + random.below(12), readBytes: 4096 })
}

function makeGenerator(random: Random): DataSource {
  const rows = 1 + random.below(200)
  const options = {
    rows,
    splits: 1 + random.below(3),
    batchRows: 1 + random.below(12),
    outOfOrder: 1 + random.below(7),
  }
  return createSource('datagen://rows', { ...options, field: { id: 'seq(1,1)' } })
}

const idOf = ({ value }: StreamRecord): bigint => (value as { readonly id: bigint }).id

async function rest(reader: DataReader): Promise<StreamRecord[]> {
  const records: StreamRecord[] = []
  for await (const record of reader) records.push(record)
  return records
}

describe(`reading goes on behind any record (HEADRACE_SEED=${SEED})`, () => {
  test.each(rounds)('seed %i', async (seed) => {
    const random = new Random(seed)
    const source = random.below(4) === 0 ? makeGenerator(random) : makeSource(random, `r${seed}`)
    await using whole = await source.createReader()
    const all = await rest(whole)
    const partitions = [...new Set(all.map(({ partition }) => partition!))]
    let reader = await source.createReader({ rows: 1 + random.below(16) })
    /** How many records of each partition came. */
    const seen = new Map<string, number>(partitions.map((partition) => [partition, 0]))
    const of = (partition: string): StreamRecord[] => all.filter((record) => record.partition === partition)
    for (let step = 0; step < 30; step++) {
      const action = random.below(6)
      if (action === 0) {
        const from = reader.position()
        await reader.close()
        reader = await source.createReader({ from, rows: 1 + random.below(16) })
      } else if (action === 1) await reader.seek(reader.position())
      else if (action === 2) {
        const partition = random.pick(partitions)
        const index = random.below(of(partition).length)
        await reader.seek(of(partition)[index]!.offset, partition)
        seen.set(partition, index + 1)
      } else {
        for (const record of await reader.read(1 + random.below(40))) {
          const index = seen.get(record.partition!)!
          // Another reader may spell the same offset another way: it counts from where its batches begin.
          expect(idOf(record)).toBe(idOf(of(record.partition!)[index]!))
          seen.set(record.partition!, index + 1)
        }
      }
    }
    for (const record of await rest(reader)) {
      const index = seen.get(record.partition!)!
      expect(idOf(record)).toBe(idOf(of(record.partition!)[index]!))
      seen.set(record.partition!, index + 1)
    }
    expect(reader.hasMore()).toBe(false)
    for (const partition of partitions) expect(seen.get(partition)).toBe(of(partition).length)
    await reader.close()
    await source.close()
  })
})

const targets = {
  folder: (seed: number) => `${join(folder, `w${seed}`)}/`,
  'one file': (seed: number) => join(folder, `w${seed}.jsonl`),
  'packed file': (seed: number) => join(folder, `w${seed}.jsonl.gz`),
  channel: (seed: number) => `memory://w${seed}?capacity=65536`,
} as const

describe(`what is committed is there, and nothing else (HEADRACE_SEED=${SEED})`, () => {
  for (const [kind, uriOf] of Object.entries(targets)) {
    test.each(rounds)(`${kind}, seed %i`, async (seed) => {
      const random = new Random(seed)
      const uri = uriOf(seed)
      const sink = createSink(uri, kind === 'channel' ? {} : { writeMode: 'append' })
      const open = (): Promise<DataWriter> => sink.createWriter({ schema: 'id BIGINT', rows: 1 + random.below(5) })
      let writer = await open()
      const committed: number[] = []
      let pending: number[] = []
      let inTransaction = false
      let id = 0
      const commit = (): void => {
        committed.push(...pending)
        pending = []
        inTransaction = false
      }
      for (let step = 0; step < 40; step++) {
        const action = random.below(10)
        if (action < 5) {
          const rows = Array.from({ length: 1 + random.below(7) }, () => ++id)
          await writer.writeBatch(rows.map((n) => ({ value: { id: n } })))
          pending.push(...rows)
        } else if (action === 5) {
          await writer.commit()
          commit()
        } else if (action === 6) {
          await writer.flush()
          if (!inTransaction) commit()
        } else if (action === 7) {
          await writer.rollback()
          pending = []
          inTransaction = false
        } else if (action === 8 && !inTransaction) {
          await writer.beginTransaction()
          commit()
          inTransaction = true
        } else if (action === 9) {
          await writer.close()
          if (inTransaction) {
            pending = []
            inTransaction = false
          } else commit()
          writer = await open()
        }
      }
      await writer.close()
      if (!inTransaction) commit()
      expect(await idsIn(kind, uri)).toEqual(kind === 'folder' ? [...committed].sort((a, b) => a - b) : committed)
    })
  }
})

async function idsIn(kind: string, uri: string): Promise<number[]> {
  if (kind === 'folder') {
    let names: string[] = []
    try {
      names = readdirSync(uri).filter((name) => !name.startsWith('.'))
    } catch {
      return []
    }
    const lines = names.flatMap((name) => readFileSync(join(uri, name), 'utf8').trim().split('\n'))
    return lines.map((line) => (JSON.parse(line) as { id: number }).id).sort((a, b) => a - b)
  }
  try {
    await using reader = await createSource(uri.split('?')[0]!).createReader({ rows: 16_384 })
    const ids: number[] = []
    for (;;) {
      const records = await reader.read(16_384, { waitMs: 0 })
      if (records.length === 0 && (kind === 'channel' || !reader.hasMore())) return ids
      ids.push(...records.map((record) => Number(idOf(record))))
    }
  } catch (error) {
    // Nothing was ever committed: there is no file, or nothing in it.
    if (
      ['connector_not_found', 'connector_schema_mismatch', 'sql_schema_unknown'].includes(
        (error as { code: string }).code,
      )
    )
      return []
    throw error
  }
}
