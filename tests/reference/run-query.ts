import type { Sink } from '../../src/connectors/contract.ts'
import { channelOf } from '../../src/connectors/memory/client.ts'
import { CHANGE } from '../../src/core/change.ts'
import { ManualClock } from '../../src/core/clock.ts'
import { type Row, rowAt } from '../../src/core/row-batch.ts'
import { field, type Schema, schema, types } from '../../src/core/types.ts'
import type { Value } from '../../src/core/values.ts'
import { textOfValue } from '../../src/expr/value-text.ts'
import { DeadLetters } from '../../src/headrace/dead-letters.ts'
import { Engine } from '../../src/headrace/engine.ts'
import { Pipeline } from '../../src/headrace/pipeline.ts'
import { compileScript } from '../../src/headrace/script.ts'
import type { Part } from './plain.ts'
import type { Event } from './streams.ts'

export interface Run {
  readonly script: string
  readonly channels: readonly string[]
  /** Pushed one after the other; each is one batch of its split. */
  readonly parts: readonly Part[]
  readonly mode: 'compiled' | 'interpreted'
}

export interface Result {
  /** Rows of LATE DATA TO 'memory://late', without `_late_by`. */
  readonly lateData: readonly (readonly string[])[]
  readonly rows: readonly { readonly cells: readonly string[]; readonly adds: boolean }[]
  readonly late: number
  readonly rowErrors: ReadonlyMap<string, number>
}

const input: Schema = schema([
  field('k', types.string),
  field('v', types.bigint),
  field('d', types.double),
  field('ts', types.timestamp),
])

const options = { capacity: 1 << 20, overflow: 'block', retain: '0' } as Parameters<typeof channelOf>[2]

/** Runs a query on the engine over rows that come in the given parts. */
export async function runQuery(run: Run): Promise<Result> {
  const { mode, script, channels } = run
  const engine = new Engine({ clock: new ManualClock(), mode, kernels: mode === 'compiled' ? 'on' : 'off' })
  const text = { file: 'q.sql', text: script, baseDirectory: '.', name: undefined, parameters: new Map() }
  const { plan } = await compileScript(engine, text)
  const rows: { cells: readonly string[]; adds: boolean }[] = []
  const deadLetters = new DeadLetters(() => undefined)
  const client = (output: Schema): Sink => collector((row) => rows.push(printed(row, output)))
  const pipeline = new Pipeline(engine, { plan, baseDirectory: '.', deadLetters, client })
  const opened = channels.map((name) => {
    const channel = channelOf(engine.shared, name, options)
    channel.schema ??= input
    return channel
  })
  const late = channelOf(engine.shared, 'late', options)
  const lateReader = late.ring.reader()
  const running = pipeline.run(new AbortController().signal)
  running.catch(() => undefined)
  for (const { split, events } of run.parts) {
    const { ring } = opened[split]!
    await ring.push(events.map(rowOf))
    for (let turn = 0; ring.length > 0 || turn < 2; turn++) {
      if (turn > 10_000) await running
      await new Promise(setImmediate)
    }
  }
  for (const { ring } of opened) ring.close()
  const { lateRows } = await running
  const given = late.schema === undefined ? [] : await lateReader.take(options!.capacity)
  const lateData = (given ?? []).map((row) => {
    const fields = late.schema!.fields
    return printed(row, late.schema!).cells.filter((_, i) => fields[i]!.name !== '_late_by')
  })
  return { lateData, rows, late: lateRows, rowErrors: deadLetters.byCode }
}

const exact = (value: bigint): Value => (value >= -(2n ** 53n) && value <= 2n ** 53n - 1n ? Number(value) : value)

const rowOf = ({ k, v, d, ts }: Event): Row => ({
  values: [k ?? null, v === undefined ? null : exact(v), d ?? null, ts ?? null],
  change: CHANGE.insert,
})

function printed(row: Row, output: Schema): { cells: string[]; adds: boolean } {
  const cells = row.values.map((value, i) => {
    const { type } = output.fields[i]!
    if (value === null) return 'NULL'
    if (type.kind === 'timestamp') return String(value)
    if (type.kind === 'string') return `'${value as string}'`
    if (type.kind === 'boolean') return value === true ? 'TRUE' : 'FALSE'
    if (type.kind === 'decimal' && type.scale > 0) return `'#${textOfValue(value, type)}'`
    return textOfValue(value, type)
  })
  return { cells, adds: row.change === CHANGE.insert || row.change === CHANGE.updateAfter }
}

const collector = (take: (row: Row) => void): Sink => ({
  write: async (batch) => {
    for (let row = 0; row < batch.rows; row++) take(rowAt(batch, row))
    return []
  },
  flush: async () => [],
  health: async () => ({ state: 'healthy', issues: [] }),
  [Symbol.asyncDispose]: async () => undefined,
})
