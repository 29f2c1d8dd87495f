import { isDeepStrictEqual } from 'node:util'
import { valueAt } from '../../src/core/column-read.ts'
import { WorkerMemory } from '../../src/core/memory.ts'
import { Random } from '../../src/core/random.ts'
import { type DataType, decimal, field, struct, types } from '../../src/core/types.ts'
import type { Decoded, Decoder, DecoderColumn } from '../../src/formats/decoder.ts'
import { createJsonLinesDecoder } from '../../src/formats/json/json-lines-decoder.ts'
import { Kernels } from '../../src/kernels/kernels.ts'
import { judge, plainText, type Verdict } from './json-oracle.ts'
import { JsonSource } from './json-source.ts'

const BATCH = 400

export interface JsonFuzzReport {
  readonly inputs: number
  /** Inputs that the oracle accepts and whose values fit. */
  accepted: number
  rejects: number
  /** Among `accepted`; must be 0. */
  wrongRejects: number
  kernelValues: number
  fallbackValues: number
  /** The first few disagreements, with the record. */
  readonly failures: string[]
}

const column = (name: string, type: DataType, path: readonly string[] = [name]): DecoderColumn => ({
  name,
  path,
  type,
  required: false,
})

const everyColumn: readonly DecoderColumn[] = [
  column('a', types.double),
  column('b', types.bigint),
  column('s', types.string),
  column('t', types.timestamp),
  column('f', types.boolean),
  column('d', decimal(20, 4)),
  column('j', types.json),
  column('n', types.int),
  column('o', struct([field('x', types.double), field('y', types.string)])),
  column('lat', types.double, ['g', 'lat']),
  column('z', types.bigint, ['g', 'n', 'z']),
  column('when', types.date),
]

/** All of them, and a few: then most of a record is not read, and templates end early. */
const columnSets: readonly (readonly DecoderColumn[])[] = [
  everyColumn,
  ['a', 's'].map((name) => everyColumn.find((each) => each.name === name)!),
  ['lat', 'j', 'f'].map((name) => everyColumn.find((each) => each.name === name)!),
  ['o', 't'].map((name) => everyColumn.find((each) => each.name === name)!),
]

/** Decodes `n` generated and mutated records and compares each with the oracle and with the twin. */
export function fuzzJson(n: number, seed: number, strict: boolean): JsonFuzzReport {
  const random = new Random(seed)
  const source = new JsonSource(random)
  const memory = new WorkerMemory()
  const kernelsOn = new Kernels(memory)
  const open = (columns: readonly DecoderColumn[], kernels: 'on' | 'off'): Decoder => {
    const spec = { columns, split: 'fuzz', batchRows: 8192, strict, kernels, nowMicros: () => 0 }
    return createJsonLinesDecoder(spec, { memory, kernels: kernelsOn })
  }
  const sets = columnSets.map((columns) => ({ columns, on: open(columns, 'on'), off: open(columns, 'off') }))
  const report: JsonFuzzReport = {
    inputs: n,
    accepted: 0,
    rejects: 0,
    wrongRejects: 0,
    kernelValues: 0,
    fallbackValues: 0,
    failures: [],
  }
  for (let done = 0; done < n; done += BATCH) {
    const records: Uint8Array[] = []
    while (records.length < Math.min(BATCH, n - done)) {
      const clean = new TextEncoder().encode(source.record())
      const record = random.chance(0.25) ? source.mutate(clean) : clean
      if (record.some((c) => c !== 32 && c !== 9 && c !== 13)) records.push(record)
    }
    const set = sets[(done / BATCH) % sets.length]!
    const on = decodeAll(set.on, records)
    const off = decodeAll(set.off, records)
    records.forEach((record, i) => {
      compare(record, judge(record, set.columns), { on: on[i]!, off: off[i]!, strict }, report)
    })
  }
  for (const set of sets) {
    report.kernelValues += set.on.counters.kernelValues
    report.fallbackValues += set.on.counters.fallbackValues
    set.on[Symbol.dispose]()
    set.off[Symbol.dispose]()
  }
  return report
}

/** A row's values, or why there is none. */
type Outcome = { readonly row: readonly unknown[] } | { readonly reject: string; readonly bytes: Uint8Array }

function decodeAll(decoder: Decoder, records: readonly Uint8Array[]): Outcome[] {
  const text = Buffer.concat(records.flatMap((record) => [record, Buffer.from('\n')]))
  const first = decoder.counters === undefined ? 0 : (ordinalOf.get(decoder) ?? 0)
  decoder.reserve(text.length).set(text)
  const out: Outcome[] = []
  for (const decoded of decoder.commit(text.length, { kind: 'delimited' })) collect(decoded, out, first)
  ordinalOf.set(decoder, first + records.length)
  return out
}

const ordinalOf = new WeakMap<Decoder, number>()

function collect(decoded: Decoded, out: Outcome[], first: number): void {
  for (const reject of decoded.rejects) out[reject.ordinal - first] = { reject: reject.detail, bytes: reject.bytes }
  const { batch } = decoded
  if (batch === undefined) return
  const { rowOrdinal, ordinals } = batch.provenance!
  for (let row = 0; row < batch.rows; row++) {
    const at = rowOrdinal + (ordinals === undefined ? row : ordinals[row]!) - first
    out[at] = { row: batch.columns.map((each) => canonical(valueAt(each, row), each.type)) }
  }
}

/** As the oracle writes it: integers as bigint, JSON parsed. */
function canonical(value: unknown, type: DataType): unknown {
  if (value === null) return null
  if (type.kind === 'json') return plainText(value as string)
  if (type.kind === 'struct') return (value as unknown[]).map((each, i) => canonical(each, type.fields[i]!.type))
  if (typeof value === 'number' && type.kind !== 'double') return BigInt(value)
  return value
}

function compare(
  record: Uint8Array,
  verdict: Verdict,
  got: { readonly on: Outcome; readonly off: Outcome; readonly strict: boolean },
  report: JsonFuzzReport,
): void {
  const { on, off, strict } = got
  const fail = (why: string): void => {
    if (report.failures.length < 10)
      report.failures.push(`${why}: ${Buffer.from(record).toString()} ${show(on)} / ${show(off)}`)
    else report.failures.push('')
  }
  if (on === undefined || off === undefined) {
    fail('no outcome')
    return
  }
  if ('reject' in on) {
    report.rejects++
    if (!sameBytes(on.bytes, record)) fail('a reject without its bytes')
  }
  if (verdict.kind === 'repeated' && !strict) return
  if (!isDeepStrictEqual('row' in on ? on.row : 'reject', 'row' in off ? off.row : 'reject'))
    fail('kernel and twin differ')
  if (verdict.kind === 'row') {
    report.accepted++
    if ('reject' in on) {
      report.wrongRejects++
      fail('rejected')
    } else if (!isDeepStrictEqual(on.row, verdict.values)) fail(`values differ from ${show({ row: verdict.values })}`)
  }
  if (verdict.kind === 'misfit' && 'row' in on) fail('accepted a value that does not fit')
  if (verdict.kind === 'not-json' && strict && 'row' in on) fail('accepted what is not JSON')
}

const show = (outcome: Outcome): string =>
  'row' in outcome
    ? outcome.row
        .map((v) =>
          typeof v === 'bigint' ? `${v}n` : JSON.stringify(v, (_k, x) => (typeof x === 'bigint' ? `${x}n` : x)),
        )
        .join(' | ')
    : outcome.reject

/** The decoder leaves out a carriage return at the end of a line. */
const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  Buffer.from(a).equals(b.at(-1) === 13 ? b.subarray(0, -1) : b)
