import { deepStrictEqual, ok } from 'node:assert/strict'
import { join } from 'node:path'
import type { Connector, Sink, SinkContext } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import { shortHash } from '../core/short-hash.ts'
import { decimal, field, type Schema, schema, types } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { endpoint } from '../headrace/endpoint.ts'
import { Checksum } from '../kernels/crc32c.ts'
import { SpooledSink } from '../runtime/delivery/spooled-sink.ts'
import { EpochDriver, runEpochs, type SnapshotBox } from './epoch-driver.ts'
import { Harness } from './harness.ts'

/** What a connector's test gives the suite. */
export interface ConformanceDriver {
  /** A URI of a fresh, empty place; the same text is used as sink and as source. */
  freshUri(): string
  /** Makes what a source reads where there is no sink of the same system; rows have `sampleSchema`. */
  readonly produce?: ((uri: string, rows: readonly (readonly Value[])[]) => Promise<void>) | undefined
  /** Rows of a source that has columns of its own; the cases about values of all kinds must be waived then. */
  readonly sample?: { readonly schema: Schema; rows(count: number): (readonly Value[])[] } | undefined
  readonly baseDirectory: string
  /** A place that a source with this URI replaces by another one: its incarnation or its offsets must tell. */
  readonly replace?: ((uri: string) => Promise<void>) | undefined
  /** Puts one record into `uri` that cannot be decoded; gives its bytes. */
  readonly damage?: ((uri: string) => Promise<Uint8Array>) | undefined
  /** Case name → why this system cannot pass it. Unknown names fail, and so do cases that pass all the same. */
  readonly waive?: Readonly<Record<string, string>> | undefined
}

/** Columns of every kind that a system must give back exactly. */
export const sampleSchema: Schema = schema([
  field('id', types.bigint),
  field('name', types.string),
  field('amount', decimal(20, 4)),
  field('share', types.double),
  field('flag', types.boolean),
  field('at', types.timestamp),
])

const sampleRow = (i: number): readonly Value[] => [
  i,
  `row ${i}`,
  12_345 + i,
  i / 8,
  i % 2 === 0,
  1_767_225_600_000_000 + i,
]
const schemaOf = (driver: ConformanceDriver): Schema => driver.sample?.schema ?? sampleSchema
const rowsOf = (driver: ConformanceDriver, count: number): (readonly Value[])[] =>
  driver.sample?.rows(count) ?? sampleRows(count)
const sampleRows = (count: number): (readonly Value[])[] => Array.from({ length: count }, (_, i) => sampleRow(i))

const hardRows: readonly (readonly Value[])[] = [
  [null, null, null, null, null, null],
  [0, '', 0, 0, false, 0],
  [
    9223372036854775807n,
    'naïve 日本 😀 "quoted", \\ \n\t',
    99999999999999999999n,
    1.7976931348623157e308,
    true,
    253402300799999999n,
  ],
  [-9223372036854775808n, 'null', -1, 5e-324, true, -62135596800000000n],
  [3791411052119578828n, "it's", 1, 0.1, false, 1],
]

export interface ConformanceCase {
  readonly name: string
  run(driver: ConformanceDriver, scheme: string): Promise<void>
}

const fill = async (
  driver: ConformanceDriver,
  harness: Harness,
  rows: readonly (readonly Value[])[],
): Promise<string> => {
  const uri = driver.freshUri()
  if (driver.produce !== undefined) await driver.produce(uri, rows)
  else await harness.write(uri, schemaOf(driver), rows)
  return uri
}

const values = (read: {
  readonly rows: readonly { readonly row: { readonly values: readonly Value[] } }[]
}): unknown[] => read.rows.map(({ row }) => row.values)

const harnessOf = (driver: ConformanceDriver, batchRows = 8): Harness =>
  new Harness({ baseDirectory: driver.baseDirectory, batchRows })

/** The behaviour that every connector shows (connectors.md §1), one case each. */
export const conformanceCases: readonly ConformanceCase[] = [
  {
    name: 'reads back what was written',
    async run(driver) {
      const harness = harnessOf(driver)
      const uri = await fill(driver, harness, rowsOf(driver, 100))
      deepStrictEqual(values(await harness.read(uri, schemaOf(driver))), rowsOf(driver, 100))
    },
  },
  {
    name: 'empty, NULL and Unicode values, 64-bit integers and decimals come back exactly',
    async run(driver) {
      const harness = harnessOf(driver)
      const uri = await fill(driver, harness, hardRows)
      deepStrictEqual(values(await harness.read(uri, sampleSchema)), hardRows)
    },
  },
  {
    name: 'a long value comes back whole',
    async run(driver) {
      const harness = harnessOf(driver)
      const row = [1, 'x'.repeat(700_000), 1, 1, true, 1]
      const uri = await fill(driver, harness, [row, sampleRow(1)])
      deepStrictEqual(values(await harness.read(uri, sampleSchema)), [row, sampleRow(1)])
    },
  },
  {
    name: 'resumes after every recorded offset, also inside a split',
    async run(driver) {
      const harness = harnessOf(driver, 7)
      const uri = await fill(driver, harness, rowsOf(driver, 50))
      const { rows } = await harness.read(uri, schemaOf(driver))
      const all = values({ rows })
      for (const next of new Set(rows.map((row) => row.next))) {
        const behind = rows.findLastIndex((row) => row.next === next) + 1
        const from = new Map([[rows[0]!.split, next]])
        deepStrictEqual(values(await harness.read(uri, schemaOf(driver), { from })), all.slice(behind))
      }
    },
  },
  {
    name: 'two readers each see every row',
    async run(driver) {
      const harness = harnessOf(driver)
      const uri = await fill(driver, harness, rowsOf(driver, 20))
      const [one, two] = await Promise.all([harness.read(uri, schemaOf(driver)), harness.read(uri, schemaOf(driver))])
      deepStrictEqual(values(one), values(two))
    },
  },
  {
    name: 'an abort ends a read and releases what it holds',
    async run(driver) {
      const harness = harnessOf(driver, 1)
      const uri = await fill(driver, harness, rowsOf(driver, 1000))
      await using source = await harness.openSource(uri, schemaOf(driver))
      const controller = new AbortController()
      for await (const event of source.splits(controller.signal)) {
        if (event.kind !== 'added') break
        await using reader = source.open(event.split.id)
        let seen = 0
        for await (const item of reader.read(undefined, controller.signal)) {
          if (item.kind === 'batch' && ++seen === 3) controller.abort()
        }
        ok(seen < 1000, 'the reader went on after the abort')
      }
    },
  },
  {
    name: 'a reject keeps the original bytes, and the rows around it come',
    async run(driver) {
      const harness = harnessOf(driver)
      const uri = await fill(driver, harness, rowsOf(driver, 3))
      const bytes = await driver.damage!(uri)
      const { rows, rejects } = await harness.read(uri, schemaOf(driver))
      deepStrictEqual(rows.length, 3)
      deepStrictEqual(rejects.length, 1)
      deepStrictEqual(Buffer.from(rejects[0]!.bytes).toString().trimEnd(), Buffer.from(bytes).toString().trimEnd())
    },
  },
  {
    name: 'an unknown option is refused with a hint',
    async run(driver) {
      const uri = driver.freshUri()
      const text = `${uri}${uri.includes('?') ? '&' : '?'}batch_rowz=1`
      const error = await refusal(() => endpoint(text, 'source'))
      deepStrictEqual(error.code, 'connector_option_unknown')
      ok(error.hint?.includes('batch_rows') === true, `the hint names no option: ${error.hint}`)
    },
  },
  {
    name: 'an option out of range shows the range',
    async run(driver) {
      const uri = driver.freshUri()
      const error = await refusal(() => endpoint(`${uri}${uri.includes('?') ? '&' : '?'}batch_rows=0`, 'source'))
      deepStrictEqual(error.code, 'connector_option_invalid')
      ok(error.hint?.includes('…') === true, `the hint shows no range: ${error.hint}`)
    },
  },
  {
    name: 'a password is in no error',
    async run(_driver, scheme) {
      const error = await refusal(() => endpoint(`${scheme}://u:hidden@h:x/y?api_key=hidden`, 'source'))
      ok(!error.message.includes('hidden') && !JSON.stringify(error.at ?? '').includes('hidden'), error.message)
    },
  },
  {
    name: 'a transactional sink gives every row once, wherever its process dies',
    async run(driver) {
      for (const death of ['before prepare', 'after prepare', 'after persist', 'after commit'] as const) {
        const harness = harnessOf(driver, 64)
        const uri = driver.freshUri()
        const open = async (incarnation: bigint): Promise<EpochDriver | undefined> => {
          // Each round is a pipeline of its own, though the targets may lie side by side.
          const durable = { lineage: shortHash(uri), incarnation }
          const { connector, context } = await harness.sinkContext(uri, sampleSchema, { durable })
          if (connector.capabilities.sink?.delivery !== 'transactional') return undefined
          return new EpochDriver(staged(connector, context, await connector.openSink!(context), driver), context)
        }
        const rows = sampleRows(20)
        const box: SnapshotBox = { snapshot: undefined, begun: 1n }
        {
          await using first = await open(1n)
          if (first === undefined) return
          await first.settle(undefined)
          await first.write(rows.slice(0, 8))
          if (death !== 'before prepare') {
            const token = await first.sink.prepare!(1n, { last: false })
            if (death !== 'after prepare') box.snapshot = { epoch: 1n, token, rows: 8, last: false }
          }
          if (death === 'after commit') await first.commit(box.snapshot!)
        }
        {
          await using second = await open(2n)
          await runEpochs(second!, box, { rows, perEpoch: 6, ends: true })
        }
        deepStrictEqual(values(await harness.read(uri, sampleSchema)), rows)
      }
    },
  },
  {
    name: 'an upstream that was replaced is noticed',
    async run(driver) {
      const harness = harnessOf(driver, 2)
      const uri = await fill(driver, harness, rowsOf(driver, 10))
      const { rows } = await harness.read(uri, schemaOf(driver))
      await driver.replace!(uri)
      const from = new Map([[rows[0]!.split, rows[5]!.next]])
      let again: unknown[]
      try {
        again = values(await harness.read(uri, schemaOf(driver), { from }))
      } catch (error) {
        if (error instanceof HeadraceError && error.code === 'connector_incarnation_changed') return
        throw error
      }
      ok(
        again.length === 0 || JSON.stringify(again[0], plain) !== JSON.stringify(rows[6]!.row.values, plain),
        'old rows were read on',
      )
    },
  },
]

/** A target that cannot hide rows is given them at the commit, as in a pipeline. */
function staged(connector: Connector, context: SinkContext, target: Sink, driver: ConformanceDriver): Sink {
  if (connector.capabilities.sink?.stage !== 'spool') return target
  const { incarnation, part, schema, memory, kernels, lineage } = context
  const directory = join(driver.baseDirectory, `spool-${lineage}`)
  const checksum = new Checksum(kernels)
  const limit = { bytesMax: 1e9, onHalf: () => {} }
  return new SpooledSink(target, { directory, part, incarnation, schema, memory, checksum, ...limit })
}

const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)

async function refusal(task: () => Promise<unknown>): Promise<HeadraceError> {
  try {
    await task()
  } catch (error) {
    if (error instanceof HeadraceError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/**
 * Runs a case with the driver's waivers: a waived case must fail (else the waiver is needless), a waiver must name a
 * case.
 */
export async function runConformance(one: ConformanceCase, driver: ConformanceDriver, scheme: string): Promise<void> {
  const reason = driver.waive?.[one.name]
  if (reason === undefined) {
    await one.run(driver, scheme)
    return
  }
  let passed = true
  try {
    await one.run(driver, scheme)
  } catch {
    passed = false
  }
  ok(!passed, `the waiver of "${one.name}" is needless: ${reason}`)
}

/** Waivers that name no case. */
export const staleWaivers = (driver: ConformanceDriver): string[] =>
  Object.keys(driver.waive ?? {}).filter((name) => !conformanceCases.some((one) => one.name === name))
