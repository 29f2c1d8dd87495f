import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { revisingChannels } from '../../src/connectors/memory/client.ts'
import { CHANGE } from '../../src/core/change.ts'
import { ManualClock } from '../../src/core/clock.ts'
import { HeadraceError, HeadraceErrors } from '../../src/core/errors.ts'
import { freshSeed, Random } from '../../src/core/random.ts'
import type { Row } from '../../src/core/row-batch.ts'
import { Engine } from '../../src/headrace/engine.ts'
import { compileScript } from '../../src/headrace/script.ts'
import { buildGraph } from '../../src/runtime/graph/build.ts'
import type { Origin } from '../../src/runtime/graph/origin.ts'
import type { ScriptPlan } from '../../src/sql/plan.ts'
import { findGoldens } from './find-goldens.ts'
import { type GoldenCase, parseGolden } from './golden-file.ts'
import { parseRow } from './golden-rows.ts'
import { type GraphStep, runGraph } from './run-graph.ts'

const root = import.meta.dirname
const BATCH_ROWS = 3
const START_MICROS = 1_767_225_600_000_000

/** Cases that ran, and those that read more than channels and VALUES. */
const counts = { ran: 0, left: 0 }
afterAll(() => process.stdout.write(`goldens cut in two: ${counts.ran} of ${counts.ran + counts.left}\n`))

async function planOf(golden: GoldenCase, engine: Engine): Promise<ScriptPlan | undefined> {
  for (const step of golden.steps) if (step.kind === 'changelog') revisingChannels(engine.shared).add(step.channel)
  const input = { file: 'script.sql', text: golden.script, baseDirectory: root, name: undefined, parameters: new Map() }
  try {
    return (await compileScript(engine, input)).plan
  } catch (error) {
    if (error instanceof HeadraceError || error instanceof HeadraceErrors) return undefined
    throw error
  }
}

const channelOf = ({ node }: Origin): string | undefined =>
  node.kind === 'source' ? /^memory:(?:\/\/)?([\w.-]+)/.exec(node.info.uri)?.[1] : undefined

/** The steps of a golden as its graph takes them; undefined when it reads anything but channels and VALUES. */
function stepsOf(golden: GoldenCase, origins: readonly Origin[]): GraphStep[] | undefined {
  const steps: GraphStep[] = [{ kind: 'clock', micros: START_MICROS }]
  let micros = START_MICROS
  for (const [origin, { node }] of origins.entries()) {
    if (node.kind === 'values') {
      steps.push(
        ...inBatches(
          origin,
          node.rows.map((values) => ({ values, change: CHANGE.insert })),
        ),
        { kind: 'end', origin },
      )
    } else if (channelOf(origins[origin]!) === undefined) return undefined
  }
  for (const step of golden.steps) {
    if (step.kind === 'clock') steps.push({ kind: 'clock', micros: (micros += step.ms * 1000) })
    if (step.kind !== 'feed') continue
    for (const [origin, place] of origins.entries()) {
      if (channelOf(place) !== step.channel) continue
      const rows = rowsFor(place, step.rows)
      if (rows === undefined) return undefined
      steps.push(...inBatches(origin, rows))
    }
  }
  for (const [origin, { node }] of origins.entries()) if (node.kind === 'source') steps.push({ kind: 'end', origin })
  return steps
}

/** Fed rows with the columns that the plan reads of the source. */
function rowsFor({ node }: Origin, texts: readonly string[]): Row[] | undefined {
  if (node.kind !== 'source') return []
  const fed = node.info.schema
  const columns = node.schema.fields.map(({ name }) => fed.fields.findIndex((field) => field.name === name))
  if (columns.includes(-1)) return undefined
  return texts.map((text) => {
    const { values, change } = parseRow(text, fed)
    return { values: columns.map((column) => values[column]!), change }
  })
}

function inBatches(origin: number, rows: readonly Row[]): GraphStep[] {
  const steps: GraphStep[] = []
  for (let at = 0; at < rows.length; at += BATCH_ROWS) {
    steps.push({ kind: 'rows', origin, rows: rows.slice(at, at + BATCH_ROWS) })
  }
  return steps
}

async function check(
  golden: GoldenCase,
  mode: 'compiled' | 'interpreted',
  random: Random,
  place: string,
): Promise<void> {
  const kernels = mode === 'compiled' ? 'on' : 'off'
  const engine = new Engine({ clock: new ManualClock(), mode, kernels, batchRows: BATCH_ROWS })
  const plan = await planOf(golden, engine)
  if (plan === undefined || plan.outputs.length === 0) return
  const graph = buildGraph(
    plan,
    engine.operatorContext(() => undefined),
  )
  const steps = stepsOf(golden, graph.origins)
  for (const { operator } of graph.stages) operator[Symbol.dispose]()
  if (steps === undefined) {
    counts.left++
    return
  }
  counts.ran++
  const whole = await runGraph(plan, engine, steps)
  const cutAt = random.below(steps.length)
  expect(await runGraph(plan, engine, steps, cutAt), `${place}, cut before step ${cutAt}`).toEqual(whole)
}

for (const path of findGoldens(root)) {
  const file = relative(root, path)
  test(`${file} goes on from a barrier`, async () => {
    const seed = freshSeed()
    const random = new Random(seed)
    for (const golden of parseGolden(readFileSync(path, 'utf8')).cases) {
      for (const mode of ['compiled', 'interpreted'] as const) {
        await check(golden, mode, random, `${file}:${golden.line}, ${mode}, seed ${seed}`)
      }
    }
  })
}
