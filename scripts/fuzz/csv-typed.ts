import { isDeepStrictEqual } from 'node:util'
import { valueAt } from '../../src/core/column-read.ts'
import { WorkerMemory } from '../../src/core/memory.ts'
import { Random } from '../../src/core/random.ts'
import { type DataType, decimal, types } from '../../src/core/types.ts'
import { createCsvDecoder } from '../../src/formats/csv/csv-decoder.ts'
import { Kernels } from '../../src/kernels/kernels.ts'
import { NUMBERS, TIMES } from './json-source.ts'

const COLUMNS: readonly DataType[] = [
  types.double,
  types.bigint,
  types.int,
  types.smallint,
  decimal(20, 3),
  decimal(38, 0),
  types.timestamp,
  types.date,
  types.boolean,
  types.bytes,
  types.json,
  { kind: 'string', length: 5 },
]
const JUNK = [
  '',
  ' ',
  'x',
  '+1',
  '007',
  '.5',
  '5.',
  '1e',
  '--1',
  'true',
  'FALSE',
  'no',
  'NaN',
  '-Infinity',
  'AQI=',
  'AQI',
  '{"a":1}',
  '[1',
  'Zürich',
  '1 ',
  '0x1F',
  '1_000',
]
const BATCH = 200

/** Decodes `n` records of typed columns with the kernel and without; the records on which they differ. */
export function fuzzCsvTyped(n: number, seed: number): string[] {
  const random = new Random(seed)
  const memory = new WorkerMemory()
  const kernels = new Kernels(memory)
  const failures: string[] = []
  const columns = COLUMNS.map((type, i) => ({ name: `c${i}`, path: [`c${i}`], type, required: i === 1 }))
  const header = `${columns.map((column) => column.name).join(',')}\n`
  for (let done = 0; done < n; done += BATCH) {
    const lines = Array.from({ length: BATCH }, () => COLUMNS.map((type) => fieldOf(random, type)).join(','))
    const text = Buffer.from(header + lines.map((line) => `${line}\n`).join(''))
    const csv = { trim: random.chance(0.3), null: random.chance(0.2) ? 'x' : '' }
    const [on, off] = (['on', 'off'] as const).map((mode) => {
      const spec = { columns, split: 'fuzz', batchRows: 8192, strict: false, kernels: mode, nowMicros: () => 0, csv }
      using decoder = createCsvDecoder('csv', spec, { memory, kernels })
      const out: unknown[] = []
      decoder.reserve(text.length).set(text)
      for (const { batch, rejects } of decoder.commit(text.length, { kind: 'delimited' })) {
        for (const reject of rejects) out[reject.ordinal] = `${reject.code} ${reject.detail}`
        const { rowOrdinal, ordinals } = batch?.provenance ?? { rowOrdinal: 0 }
        for (let row = 0; row < (batch?.rows ?? 0); row++) {
          out[rowOrdinal + (ordinals?.[row] ?? row)] = batch!.columns.map((column) => valueAt(column, row))
        }
      }
      return out
    })
    lines.forEach((line, i) => {
      if (on![i] !== undefined && isDeepStrictEqual(on![i], off![i])) return
      const shown = (value: unknown): string => JSON.stringify(value, (_k, v) => (typeof v === 'bigint' ? `${v}n` : v))
      failures.push(`${line} ${JSON.stringify(csv)}: ${shown(on![i])} / ${shown(off![i])}`)
    })
  }
  return failures
}

function fieldOf(random: Random, type: DataType): string {
  const text = random.chance(0.98) ? fitting(random, type) : random.pick([...NUMBERS, ...TIMES, ...JUNK])
  const quote = /[",]/.test(text) || random.chance(0.05)
  const field = quote ? `"${text.replaceAll('"', '""')}"` : text
  return random.chance(0.02) ? ` ${field}` : field
}

function fitting(random: Random, type: DataType): string {
  switch (type.kind) {
    case 'double':
      return random.chance(0.5) ? random.pick(NUMBERS) : String((random.float() - 0.5) * 10 ** random.between(-9, 18))
    case 'bigint':
      return random.chance(0.3)
        ? random.pick(['9223372036854775807', '-9223372036854775808', '9007199254740993'])
        : String(random.between(-1e9, 1e9))
    case 'timestamp':
      return random.chance(0.5) ? random.pick(TIMES) : String(random.between(0, 2e12))
    case 'date':
      return random.pick(['2026-01-31', '2024-02-29', '0001-01-01', '9999-12-31'])
    case 'boolean':
      return random.pick(['true', 'false'])
    case 'bytes':
      return random.pick(['AQI=', 'AQID', ''])
    case 'json':
      return random.pick(['{"a":[1,2]}', 'null', '1.50', '"text"'])
    case 'string':
      return random.pick(['', 'abc', 'Züri', '日本日本日'])
    case 'decimal':
      return type.scale === 0
        ? random.pick(['12345678901234567890123456789012345678', '100e-2', '9007199254740993', '-0'])
        : `${random.between(-1e6, 1e6)}.${random.below(1000)}`
    default:
      return String(random.between(-32768, 32767))
  }
}
