import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { inParallel } from '../../../src/core/in-parallel.ts'
import type { Form, Report } from '../report.ts'
import type { Point } from './points.ts'
import { hitPoint, sample, tracedPoints } from './r2.ts'
import { clean } from './scenario.ts'
import { type Call, type CallName, readCalls } from './strace.ts'

/** Errors of the quick form. */
const QUICK = 8

const ERRORS: Partial<Readonly<Record<CallName, string>>> = {
  fsync: 'EIO',
  rename: 'EIO',
  link: 'EIO',
  close: 'EIO',
  write: 'ENOSPC',
  pwrite64: 'ENOSPC',
}

const errorOf = ({ call }: Point): string | undefined => ERRORS[call.name as CallName]

/** A call fails once (R3): nothing is announced behind a failed sync, no handle is synced again, nothing is lost. */
export async function r3(form: Form, report: Report): Promise<void> {
  const base = join(tmpdir(), `headrace-crash-${process.pid}-r3`)
  const points = (await tracedPoints(base)).filter((point) => errorOf(point) !== undefined)
  const chosen = form.full ? points : sample(points, QUICK, form.seed)
  const faults: string[] = []
  await inParallel([...chosen.entries()], form.full ? 2 : 1, async ([i, point]) => {
    const fault = await failAt(`${base}-${i}`, point)
    if (fault !== undefined) faults.push(`${errorOf(point)} of ${point.line} ${point.ordinal}: ${fault}`)
  })
  for (const fault of faults) report.say(`R3: ${fault}`)
  const counts = Object.keys(ERRORS).map((name) => `${name} ${chosen.filter(({ call }) => call.name === name).length}`)
  report.line(
    'R3',
    faults.length === 0,
    `errors ${chosen.length} (${counts.join(', ')}); faults ${faults.length}; seed ${form.seed}`,
  )
}

/** Undefined when everything is as it must be. */
async function failAt(folder: string, point: Point): Promise<string | undefined> {
  const out = `${folder}.${point.thread}`
  const mainOut = `${folder}.main`
  const beside = point.thread === 'pool' ? [{ thread: 'main', out: mainOut } as const] : []
  const scenario = await hitPoint(folder, point, { out, what: `error=${errorOf(point)}`, beside })
  if (typeof scenario === 'string') return scenario
  const { calls } = readCalls(out)
  const failed = calls.find(({ result }) => result.includes('(INJECTED)'))!
  const wrong =
    failed.name === 'fsync'
      ? (syncedAgain(calls, failed) ?? announced({ calls, failed, phases: phasesOf(mainOut) }))
      : undefined
  if (wrong !== undefined) return `${wrong} (${folder})`
  try {
    await scenario.finish()
  } catch (error) {
    return `${(error as Error).message} (${folder})`
  }
  const verdict = await scenario.verdict()
  if (!isDeepStrictEqual({ ...verdict, left: [] }, clean)) return `${JSON.stringify(verdict)} (${folder}, ${out})`
  scenario.remove()
  rmSync(out)
  rmSync(mainOut, { force: true })
  return undefined
}

const handleOf = ({ text }: Call): string => text.replace(/[ ,].*/, '')

/** A handle whose sync has failed is only closed. */
function syncedAgain(calls: readonly Call[], failed: Call): string | undefined {
  const handle = handleOf(failed)
  for (const call of calls.slice(calls.indexOf(failed) + 1)) {
    if (handleOf(call) !== handle) continue
    if (call.name === 'close') return undefined
    if (call.name === 'fsync') return `${handle} is synced a second time`
  }
  return undefined
}

interface Entered {
  readonly phase: string
  readonly at: number
}

/** Phases as the main thread tells them. */
function phasesOf(out: string): Entered[] {
  return readCalls(out).calls.flatMap(({ name, text, at }) => {
    const phase = name === 'write' ? /^3<.*"\d+ \d+ (\w+)\\n"/.exec(text)?.[1] : undefined
    return phase === undefined ? [] : [{ phase, at }]
  })
}

/** What was said that the failed sync does not allow. */
function announced({
  calls,
  failed,
  phases,
}: {
  readonly calls: readonly Call[]
  readonly failed: Call
  readonly phases: readonly Entered[]
}): string | undefined {
  const before = phases.findLast(({ at }) => at < failed.at)?.phase ?? ''
  const later = phases.filter(({ at }) => at > failed.at).map(({ phase }) => phase)
  const until = later.indexOf('claim')
  const own = until < 0 ? later : later.slice(0, until)
  const syncedAnew = calls.some(
    ({ name, text, at, result }) =>
      name === 'fsync' && at > failed.at && pathOf(text) === pathOf(failed.text) && result.startsWith('0'),
  )
  // Before its first barrier a sink may flush files that have become long.
  const isStore = failed.text.includes('/.headrace/pipelines/')
  if (before === 'claim' && isStore) return own.includes('begin') ? 'an epoch began behind a failed claim' : undefined
  if (['mark', 'ack', 'prune'].includes(before) && !/-\d+>$|app\.jsonl>$/.test(failed.text)) return undefined
  if (before === 'commit') return own.includes('mark') && !syncedAnew ? 'an epoch was marked behind it' : undefined
  return own.includes('commit') ? 'an epoch was committed behind it' : undefined
}

const pathOf = (text: string): string | undefined => /<(.*)>/.exec(text)?.[1]
