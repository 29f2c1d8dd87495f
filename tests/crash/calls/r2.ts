import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { inParallel } from '../../../src/core/in-parallel.ts'
import { Random } from '../../../src/core/random.ts'
import type { Form, Report } from '../report.ts'
import { type Point, pointsOf, savedPoints, savePoints } from './points.ts'
import { clean, Scenario, type Trace } from './scenario.ts'
import { type Injection, needsStrace, readCalls } from './strace.ts'

/** Kills of the quick form. */
const QUICK = 12
/** A call that another run makes at another place is looked for again so often. */
const TRIES = 16
const OFFSETS = [0, 1, -1, 2, -2, 3, -3]

interface Kill {
  readonly point: Point
  readonly what: 'kill' | 'stop'
}

/** One run that nothing happens to: the calls it makes are what can be hit. */
export async function tracedPoints(folder: string): Promise<Point[]> {
  needsStrace()
  const scenario = new Scenario(folder)
  const outs = { main: `${folder}.main`, pool: `${folder}.pool` }
  const run = await scenario.run([
    { thread: 'main', out: outs.main },
    { thread: 'pool', out: outs.pool },
  ])
  const { code, err } = await run.ended
  if (code !== 0) throw new Error(`the run that is only traced ended with ${code}: ${err}`)
  const verdict = await scenario.verdict()
  if (!isDeepStrictEqual(verdict, clean)) throw new Error(`the run that is only traced: ${JSON.stringify(verdict)}`)
  scenario.remove()
  return [
    ...pointsOf('main', readCalls(outs.main).calls, folder),
    ...pointsOf('pool', readCalls(outs.pool).calls, folder),
  ]
}

/** Kills at every system call of a cycle (R2): before it, and when it has been made. */
export async function r2(form: Form, report: Report): Promise<void> {
  const base = join(tmpdir(), `headrace-crash-${process.pid}-r2`)
  const points = await tracedPoints(base)
  if (form.savePoints) savePoints(points)
  const saved = savedPoints()
  const unknown = [...new Set(points.map(({ line }) => line).filter((line) => !saved.has(line)))]
  const aimed = points.filter(({ line }) => form.only === undefined || line.includes(form.only))
  const all = aimed.flatMap((point): Kill[] => [
    { point, what: 'kill' },
    { point, what: 'stop' },
  ])
  const kills = form.full ? all : sample(all, QUICK, form.seed)
  const hit = new Set<string>()
  const faults: string[] = []
  let done = 0
  await inParallel([...kills.entries()], form.full ? 2 : 1, async ([i, kill]) => {
    const fault = await killAt(`${base}-${i}`, kill)
    if (fault === undefined) hit.add(kill.point.line)
    else faults.push(`${kill.what === 'kill' ? 'before' : 'after'} ${kill.point.line}: ${fault}`)
    if (++done % 50 === 0) report.say(`R2: ${done} of ${kills.length}`)
  })
  const notHit = form.full ? [...new Set(aimed.map(({ line }) => line))].filter((line) => !hit.has(line)) : []
  const lines = new Set(points.map(({ line }) => line))
  const absent = [...saved].filter((line) => !lines.has(line))
  for (const line of absent) report.say(`R2: not made any more: ${line}`)
  for (const line of unknown) report.say(`R2: not in points.txt: ${line}`)
  for (const line of notHit) report.say(`R2: never hit: ${line}`)
  for (const fault of faults) report.say(`R2: ${fault}`)
  report.line(
    'R2',
    unknown.length + absent.length + notHit.length + faults.length === 0,
    `points ${points.length} of ${lines.size} kinds; kills ${kills.length}; ` +
      `faults ${faults.length}; seed ${form.seed}`,
  )
}

export function sample<T>(items: readonly T[], count: number, seed: number): T[] {
  const random = new Random(seed)
  const left = [...items]
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(random.below(left.length), 1)[0]!)
}

/** Undefined when nothing is lost or doubled. */
async function killAt(folder: string, { point, what }: Kill): Promise<string | undefined> {
  const out = `${folder}.${point.thread}`
  const scenario = await hitPoint(folder, point, { out, what })
  if (typeof scenario === 'string') return scenario
  try {
    await scenario.finish()
  } catch (error) {
    return `${(error as Error).message} (${folder})`
  }
  const verdict = await scenario.verdict()
  if (!isDeepStrictEqual(verdict, clean)) return `${JSON.stringify(verdict)} (${folder}, ${out})`
  scenario.remove()
  rmSync(out)
  return undefined
}

export interface HitForm {
  /** The trace of the point's thread. */
  readonly out: string
  readonly what: Injection['what']
  /** Traces of other threads. */
  readonly beside?: readonly Trace[]
}

/**
 * Runs the pipeline into what is done to one call. Where a call is only known by its number and the run made others
 * before it, the number is taken from that run and tried again.
 */
export async function hitPoint(
  folder: string,
  point: Point,
  { out, what, beside = [] }: HitForm,
): Promise<Scenario | string> {
  const { thread, call, line, ordinal } = point
  const path = point.path === undefined ? undefined : join(folder, point.path)
  let { nth } = point
  let base = nth
  for (let tries = 1; ; tries++) {
    const scenario = new Scenario(folder)
    // The trace of the try before would be taken for this one's.
    rmSync(out, { force: true })
    await scenario.run([{ thread, out, injection: { name: call.name, nth, path, what } }, ...beside])
    const found = pointsOf(thread, readCalls(out).calls, folder)
    const hit = what.startsWith('error')
      ? found.find((one) => one.call.result.includes('(INJECTED)'))
      : found.findLast(({ call: { name } }) => name === call.name)
    // Another call of the same kind does as well: each of them is aimed at.
    if (hit?.line === line) return scenario
    if (tries === TRIES) return `hit ${hit === undefined ? 'nothing' : `${hit.line} ${hit.ordinal}`} instead`
    if (path === undefined) {
      const alike = found.filter((one) => one.line === line)
      base = alike.find((one) => one.ordinal === ordinal)?.call.nth ?? base
      // The thread also writes to wake the loop, sometimes more often than before; its first call of a kind does not move.
      const first = alike[0]?.call.nth
      nth = tries > TRIES / 2 && first !== undefined ? first : Math.max(1, base + OFFSETS[tries % OFFSETS.length]!)
    }
  }
}
