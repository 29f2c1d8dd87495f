import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type CallName, type Injection, readCalls, tracePool } from '../calls/strace.ts'
import type { PipelineProcess } from '../pipeline-process.ts'
import { Bench, entered, expect, pause, scriptOf, until, within } from './bench.ts'

/** A fenced instance is out that long after it wakes (delivery.md §8). */
const OUT_MS = 5000
const FENCED = 4

/** Where an owner stands still: at the beginning of a phase, or behind one system call of it. */
export type Moment =
  | { readonly phase: string }
  | {
      readonly call: CallName
      readonly nth: number
      readonly path?: (bench: Bench) => string | undefined
      /** What the call must be about. */
      readonly about: RegExp
    }

export interface StoppedForm {
  readonly moment: Moment
  /** Epochs that the new instance commits meanwhile. */
  readonly epochs?: number
  /** Stands still at least that long. */
  readonly ms?: number
  /** The new one takes the pipeline without watching the heartbeat. */
  readonly takeover?: boolean
}

/**
 * An owner is stopped at a moment, another instance takes the pipeline and goes on, the old one wakes: it is out in time
 * with the exit code of a fenced one, and every row is there once.
 */
export async function stoppedOwner(folder: string, form: StoppedForm): Promise<string> {
  const { moment, epochs = 1, ms = 0, takeover = true } = form
  await using bench = new Bench(folder, `${scriptOf().replace('SET', 'SET checkpoint.retained = 1;\nSET')}`)
  const trace = `${folder}.trace`
  bench.append()
  // A first run, so that there is something to prune.
  const first = bench.start()
  await within('the first rows', Promise.race([first.reached('prune'), first.ended]))
  await bench.all()
  await bench.stop(first)
  const { run: old, tracer } = await stopAt(bench, moment, trace)
  const younger = bench.start(takeover ? ['--takeover'] : [])
  await entered(younger, 'claim')
  for (let i = 0; i < epochs; i++) {
    const taken = younger.reached('prune')
    bench.append()
    await within('an epoch of the new instance', taken)
  }
  await bench.all()
  await pause(ms)
  const woken = Date.now()
  process.kill(old.pid, 'SIGCONT')
  const { code, err } = await within('the old instance is out', old.ended, 2 * OUT_MS)
  tracer?.kill()
  const out = Date.now() - woken
  if (code !== FENCED) throw new Error(`the old instance ended with ${code}: ${err} (${folder})`)
  if (out > OUT_MS) throw new Error(`the old instance was out after ${out} ms`)
  // The new one goes on as if nothing had been.
  bench.append()
  await bench.all()
  await bench.stop(younger)
  const facts = await bench.verdict()
  rmSync(folder, { recursive: true })
  rmSync(trace, { force: true })
  return `${facts}; out after ${out} ms`
}

async function stopAt(
  bench: Bench,
  moment: Moment,
  trace: string,
): Promise<{ run: PipelineProcess; tracer: ChildProcess | undefined }> {
  if ('phase' in moment) {
    const run = bench.start([], { hold: { phase: moment.phase, ms: 500 } })
    const there = run.reached(moment.phase)
    await within('a claim', Promise.race([run.reached('claim'), there]))
    bench.append()
    expect(`${moment.phase} is reached`, await within(moment.phase, there), true)
    process.kill(run.pid, 'SIGSTOP')
    return { run, tracer: undefined }
  }
  const run = bench.start([], {
    hold: { phase: 'align', ms: 300 },
    env: { UV_THREADPOOL_SIZE: '1' },
  })
  const aligned = run.reached('align')
  bench.append()
  await within('align', aligned)
  process.kill(run.pid, 'SIGSTOP')
  const { call: name, nth, path } = moment
  const injection: Injection = { name, nth, path: path?.(bench), what: 'stop' }
  const tracer = await tracePool(run.pid, trace, injection)
  process.kill(run.pid, 'SIGCONT')
  await until(`${name} ${nth} is made (${trace})`, () => readCalls(trace).stopped)
  const last = readCalls(trace).calls.findLast((call) => call.name === name)!
  if (!moment.about.test(last.text)) throw new Error(`it stands still behind ${name} ${last.text}`)
  return { run, tracer }
}

/** The snapshot that the next prune removes first. */
export const oldestSnapshot = (bench: Bench): string => join(bench.checkpoints, bench.snapshots()[0]!)
