import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { WorkerMemory } from '../../src/core/memory.ts'
import { Random } from '../../src/core/random.ts'
import { Kernels } from '../../src/kernels/kernels.ts'
import { csvCase, decodeCase } from './csv.ts'

/** Records of one compared file. */
const FILE_RECORDS = 4000

/** Compares files with DuckDB's reader, every column a VARCHAR; the files that differ. */
export async function fuzzCsvDuckDb(
  n: number,
  seed: number,
): Promise<{ readonly inputs: number; readonly failures: string[] }> {
  const random = new Random(seed)
  const folder = mkdtempSync(join(tmpdir(), 'csv-fuzz-'))
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const memory = new WorkerMemory()
  const deps = { memory, kernels: new Kernels(memory) }
  const failures: string[] = []
  let inputs = 0
  try {
    while (inputs < n) {
      // RFC 4180 only: what other readers make of anything else is their own.
      const one = csvCase(random, { newline: '\n', ragged: 0, rfc: true, records: FILE_RECORDS })
      const path = join(folder, 'case.csv')
      writeFileSync(path, one.text)
      const columns = one.names.map((_, i) => `'c${i}': 'VARCHAR'`).join(', ')
      const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
      const { delimiter, quote } = one.options
      const sql = `SELECT * FROM read_csv(${text(path)}, auto_detect = false, header = true, delim = ${text(delimiter!)}, quote = ${text(quote!)}, escape = ${text(quote!)}, columns = {${columns}}, parallel = false, strict_mode = false, allow_quoted_nulls = false, new_line = '\\n', max_line_size = 10000000)`
      const result = await connection.runAndReadAll(sql)
      const want = result.getRows()
      const got = decodeCase(one, deps)
      inputs += want.length
      if (!isDeepStrictEqual(got, want)) {
        const at = want.findIndex((row, i) => !isDeepStrictEqual(row, got[i]))
        failures.push(
          JSON.stringify({ rows: [got.length, want.length], at, got: got[at], want: want[at], options: one.options }),
        )
      }
    }
  } finally {
    connection.closeSync()
    rmSync(folder, { recursive: true })
  }
  return { inputs, failures }
}
