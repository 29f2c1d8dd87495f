import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Random } from '../../../src/core/random.ts'
import { Bench, entered, pause, until } from '../orders/bench.ts'
import type { Form, Report } from '../report.ts'
import { needsStrace, readCalls, tracePool } from './strace.ts'

/** Phases of which every one must be hit so often in the full form; the file source has nothing to acknowledge. */
const PHASES = ['prepare', 'persist', 'commit', 'mark'] as const
const PER_PHASE = 20
const STEP = 100
const LIMIT_MS = 540_000

/** Calls of all phases fail again and again while rows come (R10). */
export async function r10(form: Form, report: Report): Promise<void> {
  needsStrace()
  await report.test('R10', async () => {
    const folder = join(tmpdir(), `headrace-crash-${process.pid}-r10`)
    const [rows, enough] = form.full ? [20_000, PER_PHASE] : [1500, 1]
    const random = new Random(form.seed)
    await using bench = new Bench(folder)
    const byPhase = new Map<string, number>(PHASES.map((phase) => [phase, 0]))
    const isEnough = (): boolean => bench.rows >= rows && PHASES.every((phase) => byPhase.get(phase)! >= enough)
    const end = Date.now() + (form.full ? LIMIT_MS : LIMIT_MS / 9)
    let runs = 0
    while (!isEnough() && Date.now() < end) {
      const out = `${folder}.trace`
      const under = [
        'strace',
        '-f',
        '-y',
        '-s',
        '40',
        '-o',
        out,
        '-e',
        'trace=write,fsync,link,rename',
        ...faults(random),
      ]
      const run = bench.start([], { under, env: { UV_THREADPOOL_SIZE: '1' } })
      runs++
      const started = Date.now()
      // A trace is read when its run is over.
      while (!run.hasEnded && Date.now() - started < 20_000 && Date.now() < end) {
        if (bench.seen() >= bench.rows) bench.append(STEP)
        await pause(50)
      }
      run.kill()
      await run.ended
      count(out, byPhase)
      rmSync(out)
    }
    if (bench.rows < rows) bench.append(rows - bench.rows)
    // Chance may leave a phase out: it gets the errors that it lacks one by one.
    for (const phase of PHASES) {
      while (byPhase.get(phase)! < enough) {
        await failOnce(bench, phase)
        byPhase.set(phase, byPhase.get(phase)! + 1)
        runs++
      }
    }
    const last = bench.start()
    await entered(last, 'claim')
    await bench.all()
    await bench.stop(last)
    const facts = `${await bench.verdict()}; errors: ${[...byPhase].map((one) => one.join(' ')).join(', ')}; runs ${runs}`
    rmSync(folder, { recursive: true })
    return `${facts}; seed ${form.seed}`
  })
}

/** Fails the first flush of one phase of one cycle; throws when none failed. */
async function failOnce(bench: Bench, phase: string): Promise<void> {
  const out = `${bench.folder}.trace`
  // The process stands still in the beginning of the phase until its calls are traced.
  const run = bench.start([], { env: { UV_THREADPOOL_SIZE: '1' }, hold: { phase, ms: 1000 } })
  await entered(run, 'claim')
  const reached = entered(run, phase)
  bench.append(STEP)
  await reached
  const tracer = await tracePool(run.pipelinePid, out, { name: 'fsync', nth: 1, path: undefined, what: 'error=EIO' })
  const hasFailed = (): boolean => readCalls(out).calls.some((call) => call.result.includes('INJECTED'))
  await until(`a flush fails in ${phase}`, hasFailed)
  const ended = new Promise((resolve) => tracer.on('close', resolve))
  run.kill()
  await run.ended
  await ended
  rmSync(out)
}

/** Every n-th call of its kind fails, with an n of its own. */
function faults(random: Random): string[] {
  const every = (name: string, low: number, high: number): string[] => {
    const step = random.between(low, high)
    return ['-e', `inject=${name}:error=EIO:when=${10 + random.below(step)}+${step}`]
  }
  return [...every('fsync', 11, 23), ...every('link', 6, 11), ...every('rename', 6, 11)]
}

/** Errors by the phase in which they were given. */
function count(out: string, byPhase: Map<string, number>): void {
  let phase = ''
  for (const line of readFileSync(out, 'utf8').split('\n')) {
    phase = /write\(3<.*"\d+ \d+ (\w+)\\n"/.exec(line)?.[1] ?? phase
    if (line.includes('(INJECTED)')) byPhase.set(phase, (byPhase.get(phase) ?? 0) + 1)
  }
}
