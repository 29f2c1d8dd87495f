import { isDeepStrictEqual } from 'node:util'
import { valueAt } from '../../src/core/column-read.ts'
import { WorkerMemory } from '../../src/core/memory.ts'
import { Random } from '../../src/core/random.ts'
import { types } from '../../src/core/types.ts'
import { createCsvDecoder } from '../../src/formats/csv/csv-decoder.ts'
import type { CsvOptions, Decoded, DecoderColumn } from '../../src/formats/decoder.ts'
import { Kernels } from '../../src/kernels/kernels.ts'

/** One generated file: its text, and what a plain reading of the rules makes of it. */
export interface CsvCase {
  readonly text: string
  readonly options: Partial<CsvOptions>
  readonly names: readonly string[]
  /** Undefined: a record that has not as many fields as the header. */
  readonly rows: readonly (readonly (string | null)[] | undefined)[]
}

export interface CsvFuzzReport {
  inputs: number
  rejects: number
  wrongRejects: number
  kernelValues: number
  fallbackValues: number
  readonly failures: string[]
}

const PIECES = [
  'a',
  'Zürich',
  ' ',
  '"',
  ',',
  ';',
  '\n',
  '\r\n',
  '\r',
  "'",
  '日本',
  'x'.repeat(20),
  '1',
  '-2.5',
  '',
  '|',
  '\t',
  '\\',
]

/** What a generated file is not left to chance in. */
export interface CaseShape {
  readonly newline?: string
  /** Share of records with another number of fields. */
  readonly ragged: number
  /** Fields that hold a quote are quoted (RFC 4180); else only those that begin with one. */
  readonly rfc?: boolean
  /** Absent: a few. */
  readonly records?: number
}

/** A file in a random dialect. */
export function csvCase(random: Random, shape: CaseShape = { ragged: 0.03 }): CsvCase {
  const delimiter = random.pick([',', ';', '\t', '|'])
  const quote = random.pick(['"', '"', "'"])
  const newline = shape.newline ?? random.pick(['\n', '\n', '\r\n', '\r'])
  const width = random.between(2, 5)
  // DuckDB skips its header line by line, so its files have plain names.
  const kinds = shape.rfc === true ? ['c'] : ['n', 'two words', `with${delimiter}it`, `q${quote}`, 'line\nbreak']
  const names = Array.from({ length: width }, (_, i) => random.pick(kinds) + i)
  const field = (text: string, always = false): string => {
    const needs =
      text === '' ||
      /[\r\n]/.test(text) ||
      text.includes(delimiter) ||
      (shape.rfc === true ? text.includes(quote) : text.startsWith(quote))
    return always || needs || random.chance(0.1) ? quote + text.replaceAll(quote, quote + quote) + quote : text
  }
  const rows: ((string | null)[] | undefined)[] = []
  const lines = [names.map((name) => field(name, random.chance(0.3))).join(delimiter)]
  for (let i = shape.records ?? random.between(0, 30); i > 0; i--) {
    const ragged = random.chance(shape.ragged)
    const count = ragged ? width + random.pick([-1, 1]) : width
    const values = Array.from({ length: count }, () => (random.chance(0.1) ? null : textOf(random)))
    lines.push(values.map((value) => (value === null ? '' : field(value))).join(delimiter))
    if (count === 1 && values[0] === null) continue
    rows.push(ragged ? undefined : values)
  }
  const mark = random.chance(0.2) ? '\ufeff' : ''
  const text = mark + lines.join(newline) + (random.chance(0.8) ? newline : '')
  return { text, options: { delimiter, quote }, names, rows }
}

const textOf = (random: Random): string =>
  Array.from({ length: random.between(1, 3) }, () => random.pick(PIECES)).join('')

/** Decodes generated files of `n` records in all, in pieces cut at random; twin and kernel must agree with the rules. */
export function fuzzCsv(n: number, seed: number): CsvFuzzReport {
  const random = new Random(seed)
  const report: CsvFuzzReport = {
    inputs: 0,
    rejects: 0,
    wrongRejects: 0,
    kernelValues: 0,
    fallbackValues: 0,
    failures: [],
  }
  const memory = new WorkerMemory()
  const deps = { memory, kernels: new Kernels(memory) }
  while (report.inputs < n) {
    const one = csvCase(random)
    report.inputs += one.rows.length + 1
    // Half of the files are read in part.
    const all = random.chance(0.5)
    const read = one.names.map((_, i) => i).filter(() => all || random.chance(0.5))
    for (const kernels of ['on', 'off'] as const) {
      const step = random.chance(0.5) ? 1_000_000 : random.between(1, 60)
      const got = decode(one, { kernels, step, read }, deps, report)
      const want = one.rows.map((row) => (row === undefined ? 'reject' : read.map((i) => row[i])))
      if (isDeepStrictEqual(got, want)) continue
      report.wrongRejects += got.filter((row, i) => row === 'reject' && want[i] !== 'reject').length
      const shown = JSON.stringify({ kernels, step, text: one.text, options: one.options, got, want })
      report.failures.push(report.failures.length < 5 ? shown : '')
    }
  }
  return report
}

function decode(
  one: CsvCase,
  mode: { readonly kernels: 'on' | 'off'; readonly step: number; readonly read: readonly number[] },
  deps: { readonly memory: WorkerMemory; readonly kernels: Kernels },
  report: CsvFuzzReport,
): unknown[] {
  const columns = mode.read.map((i): DecoderColumn => {
    const name = one.names[i]!
    return { name, path: [name], type: types.string, required: false }
  })
  const spec = {
    columns,
    split: 'fuzz',
    batchRows: 8192,
    strict: false,
    kernels: mode.kernels,
    nowMicros: () => 0,
    csv: one.options,
  }
  using decoder = createCsvDecoder('csv', spec, deps)
  const out: unknown[] = []
  const take = (all: Iterable<Decoded>): void => {
    for (const { batch, rejects } of all) {
      for (const reject of rejects) out[reject.ordinal] = 'reject'
      if (mode.kernels === 'on') report.rejects += rejects.length
      const { rowOrdinal, ordinals } = batch?.provenance ?? { rowOrdinal: 0 }
      for (let row = 0; row < (batch?.rows ?? 0); row++) {
        out[rowOrdinal + (ordinals?.[row] ?? row)] = batch!.columns.map((each) => valueAt(each, row))
      }
    }
  }
  const bytes = Buffer.from(one.text)
  for (let at = 0; at < bytes.length; at += mode.step) {
    const piece = bytes.subarray(at, at + mode.step)
    decoder.reserve(piece.length).set(piece)
    take(decoder.commit(piece.length, { kind: 'delimited' }))
  }
  take(decoder.finish())
  if (mode.kernels === 'on') {
    report.kernelValues += decoder.counters.kernelValues
    report.fallbackValues += decoder.counters.fallbackValues
  }
  return out
}

/** The rows of a case that has no bad record, by the kernel. */
export function decodeCase(
  one: CsvCase,
  deps: { readonly memory: WorkerMemory; readonly kernels: Kernels },
): unknown[] {
  const report: CsvFuzzReport = {
    inputs: 0,
    rejects: 0,
    wrongRejects: 0,
    kernelValues: 0,
    fallbackValues: 0,
    failures: [],
  }
  return decode(one, { kernels: 'on', step: 200_000, read: one.names.map((_, i) => i) }, deps, report)
}
