import { MemoryStore } from '../../src/checkpoint/memory-store.ts'
import type { Sink } from '../../src/connectors/contract.ts'
import { channelOf, revisingChannels } from '../../src/connectors/memory/client.ts'
import { CHANGE, changeSymbols } from '../../src/core/change.ts'
import { ManualClock } from '../../src/core/clock.ts'
import { HeadraceError, HeadraceErrors } from '../../src/core/errors.ts'
import { type Row, rowAt } from '../../src/core/row-batch.ts'
import type { Schema } from '../../src/core/types.ts'
import { textOfValue } from '../../src/expr/value-text.ts'
import { DeadLetters } from '../../src/headrace/dead-letters.ts'
import { checkpointSettings } from '../../src/headrace/durable/settings.ts'
import { startDurable } from '../../src/headrace/durable/start.ts'
import { Engine } from '../../src/headrace/engine.ts'
import { Pipeline } from '../../src/headrace/pipeline.ts'
import type { Digest } from '../../src/headrace/run-digest.ts'
import { compileScript } from '../../src/headrace/script.ts'
import { renderError } from '../../src/sql/diagnostics.ts'
import type { ScriptPlan } from '../../src/sql/plan.ts'
import type { GoldenCase, GoldenSection } from './golden-file.ts'
import { parseRow } from './golden-rows.ts'

export interface GoldenMode {
  readonly batchRows: number
  readonly mode: 'compiled' | 'interpreted'
  /** Called after a run with the number of batches that its sources gave (rulings 69). */
  readonly onBatches?: ((batches: number) => void) | undefined
  /** Crash behind every second item and go on from the checkpoint behind the first (rulings 31, 69). */
  readonly crash?: boolean | undefined
}

/** The zone that instants are shown in; undefined: UTC. */
type Zone = string | undefined

interface Collected {
  readonly schema: Schema
  readonly rows: Row[]
  /** The last one whose rows are in `rows`; only when crashing. */
  epoch: bigint
}

const CAPACITY = 1 << 20

/** Runs a case and gives the sections it asks for (all that apply when it has none yet). */
export async function runGolden(golden: GoldenCase, how: GoldenMode): Promise<GoldenSection[]> {
  const clock = new ManualClock()
  const one = golden.steps.some((step) => step.kind === 'feed' && step.one)
  const batchRows = one ? 1 : how.batchRows
  const engine = new Engine({ clock, mode: how.mode, kernels: how.mode === 'compiled' ? 'on' : 'off', batchRows })
  const wanted = golden.sections.map((section) => section.name).filter((name) => name !== 'error')
  for (const step of golden.steps) {
    if (step.kind === 'changelog') revisingChannels(engine.shared).add(step.channel)
  }
  let plan: ScriptPlan
  let warnings: readonly HeadraceError[]
  const input = {
    file: 'script.sql',
    text: golden.script,
    baseDirectory: import.meta.dirname,
    name: undefined,
    parameters: new Map(),
  }
  try {
    ;({ plan, warnings } = await compileScript(engine, input))
  } catch (error) {
    return [{ name: 'error', lines: errorLines(error) }]
  }
  const client: Collected[] = []
  let deadLetters = new DeadLetters(() => undefined)
  const newRun = (): Pipeline => {
    deadLetters = new DeadLetters(() => undefined)
    let opened = 0
    return new Pipeline(engine, {
      plan,
      baseDirectory: import.meta.dirname,
      deadLetters,
      client: (schema) => {
        client[opened] ??= { schema, rows: [], epoch: 0n }
        return how.crash === true ? transactional(client[opened++]!) : collector(client[opened++]!.rows)
      },
    })
  }
  const names = new Set(wanted.filter((name) => name.startsWith('memory://')))
  const readers = [...names].map((name) => {
    const channel = channelOf(engine.shared, name.slice('memory://'.length), bigChannel)
    return { name, channel, reader: channel.ring.reader() }
  })
  let lateRows = 0
  try {
    if (plan.outputs.length > 0) {
      const signal = new AbortController().signal
      const running = how.crash === true ? runCrashing(engine, newRun, signal) : newRun().run(signal)
      await feed(golden, engine, { plan, clock, running })
      const digest = await running
      lateRows = digest.lateRows
      how.onBatches?.(digest.batchesIn)
    }
  } catch (error) {
    return [{ name: 'error', lines: errorLines(error) }]
  }
  const sections: GoldenSection[] = []
  const results = client.at(-1)
  const zone = plan.settings.get('timezone')
  for (const name of wanted.length > 0 ? wanted : defaultSections(client, plan)) {
    if (name.startsWith('memory://')) {
      const { channel, reader } = readers.find((entry) => entry.name === name)!
      const rows = (await reader.take(CAPACITY)) ?? []
      sections.push({ name, lines: channelLines(rows, channel.schema, zone) })
    } else if (name === 'counters') {
      const counts = [...deadLetters.byCode].map(([code, count]) => `${code} ${count}`).sort()
      sections.push({ name, lines: [...(lateRows > 0 ? [`late ${lateRows}`] : []), ...counts] })
    } else if (name === 'warnings') {
      sections.push({ name, lines: warnings.flatMap((warning) => renderError(warning).split('\n')) })
    } else if (name === 'text') {
      sections.push({ name, lines: plan.texts.flatMap((text) => text.trimEnd().split('\n')) })
    } else sections.push({ name, lines: resultLines(name, results, zone) })
  }
  return sections
}

function defaultSections(client: readonly Collected[], plan: ScriptPlan): string[] {
  if (client.length === 0) return plan.texts.length > 0 ? ['text'] : ['counters']
  const changes = plan.outputs.at(-1)!.root.traits.changes !== 'append'
  return [changes ? 'table' : 'rows']
}

function resultLines(name: string, results: Collected | undefined, zone: Zone): string[] {
  if (results === undefined) return []
  const { rows, schema } = results
  switch (name) {
    case 'rows':
      return sorted(rows, schema, zone)
    case 'in order':
      return rows.map((row) => rowText(row, schema, zone))
    case 'changes':
      return changeLines(rows, schema, zone)
    case 'table':
      return folded(rows, schema, zone)
    default:
      throw new Error(`a golden has no section "${name}"`)
  }
}

const sorted = (rows: readonly Row[], schema: Schema, zone: Zone): string[] =>
  rows.map((row) => rowText(row, schema, zone)).sort()

/** Rows of a channel; with their change symbols, in order, when some are no inserts. */
function channelLines(rows: readonly Row[], schema: Schema | undefined, zone: Zone): string[] {
  if (schema === undefined) return []
  return rows.every((row) => row.change === CHANGE.insert)
    ? sorted(rows, schema, zone)
    : changeLines(rows, schema, zone)
}

const changeLines = (rows: readonly Row[], schema: Schema, zone: Zone): string[] =>
  rows.map((row) => `${changeSymbols[row.change]} ${rowText(row, schema, zone)}`)

/** The rows that are left when every change has been applied. */
function folded(rows: readonly Row[], schema: Schema, zone: Zone): string[] {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const text = rowText(row, schema, zone)
    const adds = row.change === CHANGE.insert || row.change === CHANGE.updateAfter
    counts.set(text, (counts.get(text) ?? 0) + (adds ? 1 : -1))
  }
  return [...counts]
    .flatMap(([text, count]) => (count < 0 ? [`${count} × ${text}`] : new Array<string>(count).fill(text)))
    .sort()
}

const rowText = (row: Row, schema: Schema, zone: Zone): string =>
  row.values
    .map((value, i) => (value === null ? 'NULL' : textOfValue(value, schema.fields[i]!.type, zone)))
    .map((text) => (text === '' ? "''" : text.replaceAll('\n', '\\n')))
    .join(' | ')

function errorLines(error: unknown): string[] {
  const faults = error instanceof HeadraceErrors ? error.errors : error instanceof HeadraceError ? [error] : undefined
  if (faults === undefined) throw error
  return faults.flatMap((fault) => renderError(fault).split('\n'))
}

function collector(rows: Row[]): Sink {
  return {
    write: async (batch) => {
      for (let row = 0; row < batch.rows; row++) rows.push(rowAt(batch, row))
      return []
    },
    flush: async () => [],
    health: async () => ({ state: 'healthy', issues: [] }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Rows of an epoch are collected once it is committed. */
function transactional(collected: Collected): Sink {
  let open: Row[] = []
  const staged = new Map<bigint, readonly Row[]>()
  return {
    ...collector(collected.rows),
    write: async (batch) => {
      for (let row = 0; row < batch.rows; row++) open.push(rowAt(batch, row))
      return []
    },
    prepare: async (epoch) => {
      staged.set(epoch, open)
      open = []
      return new Uint8Array(0)
    },
    commit: async (epoch) => {
      if (collected.epoch < epoch) collected.rows.push(...staged.get(epoch)!)
      collected.epoch = epoch
      return []
    },
    ledger: async (incarnation) => ({ epoch: collected.epoch, incarnation }),
  }
}

class Crash extends Error {}

/** Starts the pipeline again and again: the first item of each run is checkpointed, the second is lost in the crash. */
async function runCrashing(engine: Engine, newRun: () => Pipeline, signal: AbortSignal): Promise<Digest> {
  const store = new MemoryStore()
  const settings = checkpointSettings({ settings: new Map([['checkpoint.interval', 'off']]) })
  for (;;) {
    const pipeline = newRun()
    let taken: Promise<unknown> | undefined
    const afterItem = async (take: () => Promise<unknown>): Promise<void> => {
      const isFirst = taken === undefined
      taken ??= take()
      await taken
      if (!isFirst) throw new Crash()
    }
    const options = { at: store, allowDroppedState: false, takeover: false, afterItem }
    const durable = await startDurable(engine, { ...pipeline.facts, pipeline: 'golden' }, settings, options, signal)
    try {
      return await pipeline.run(signal, durable)
    } catch (error) {
      if (!(error instanceof Crash)) throw error
    } finally {
      await durable.close()
    }
  }
}

const bigChannel = { capacity: CAPACITY, overflow: 'block', retain: 'all' } as Parameters<typeof channelOf>[2]

async function feed(
  golden: GoldenCase,
  engine: Engine,
  run: { readonly plan: ScriptPlan; readonly clock: ManualClock; readonly running: Promise<unknown> },
): Promise<void> {
  const sources = memorySources(run.plan)
  let failed = false
  run.running.catch(() => {
    failed = true
  })
  for (const step of golden.steps) {
    if (failed) return
    if (step.kind === 'clock') {
      await settle(engine, sources)
      run.clock.advance(step.ms)
      await settle(engine, sources)
    } else if (step.kind === 'end') {
      for (const { name } of sources) channelOf(engine.shared, name, bigChannel).ring.close()
    } else if (step.kind === 'feed') {
      const schema = sources.find((source) => source.name === step.channel)?.schema
      if (schema === undefined) throw new Error(`the script does not read memory://${step.channel}`)
      const channel = channelOf(engine.shared, step.channel, bigChannel)
      channel.schema ??= schema
      await channel.ring.push(step.rows.map((text) => parseRow(text, schema)))
    }
  }
}

/** Waits until every fed row has been taken and the graph stands still. */
async function settle(engine: Engine, sources: readonly { readonly name: string }[]): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet++) {
    await new Promise(setImmediate)
    if (sources.some(({ name }) => channelOf(engine.shared, name, bigChannel).ring.length > 0)) quiet = 0
  }
}

/** Memory channels that the plan reads, with all their declared columns. */
function memorySources(plan: ScriptPlan): { name: string; schema: Schema }[] {
  const found = new Map<string, Schema>()
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    if (Array.isArray(node)) {
      node.forEach(visit)
      return
    }
    const record = node as Record<string, unknown>
    if (record['kind'] === 'source') {
      const { uri, schema } = record['info'] as { uri: string; schema: Schema }
      const match = /^memory:(?:\/\/)?([\w.-]+)/.exec(uri)
      if (match !== null) found.set(match[1]!, schema)
      return
    }
    visit(record['input'])
    visit(record['inputs'])
  }
  for (const output of plan.outputs) visit(output.root)
  return [...found].map(([name, schema]) => ({ name, schema }))
}
