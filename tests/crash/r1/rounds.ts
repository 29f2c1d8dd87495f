import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '../../../src/core/random.ts'
import { onLines } from '../lines.ts'
import { PipelineProcess } from '../pipeline-process.ts'
import type { Case } from './cases.ts'
import { isClean, judge, type Verdict } from './verdict.ts'

export interface RoundsForm {
  readonly folder: string
  readonly seed: number
  readonly kills: number
  readonly records: number
  readonly intervalMs: number
}

export interface RoundsResult {
  readonly byPhase: ReadonlyMap<string, number>
  readonly verdict: Verdict
  readonly seed: number
}

/** Phases that a kill may fall into; each wants its share. */
const PHASES = ['claim', 'align', 'prepare', 'persist', 'commit', 'mark', 'prune'] as const

/** The same wait for everything that should come soon. */
const LIMIT_MS = 60_000

/** Starts the pipeline again and again while records are appended, and kills it; then lets it end and judges. */
export async function killRounds(one: Case, form: RoundsForm): Promise<RoundsResult> {
  const { folder, seed } = form
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const input of one.inputs) writeFileSync(join(folder, input), '')
  writeFileSync(join(folder, 'p.sql'), `-- @name p\nSET checkpoint.interval = '${form.intervalMs}ms';\n${one.sql}\n`)
  const random = new Random(seed)
  const generator = new Generator(form, one)
  const byPhase = new Map<string, number>(PHASES.map((phase) => [phase, 0]))
  const share = Math.ceil(form.records / form.kills)
  for (let kill = 0; kill < form.kills; ) {
    const least = Math.min(...byPhase.values())
    const wanted = random.pick(PHASES.filter((phase) => byPhase.get(phase) === least))
    const run = start(folder)
    generator.go()
    const target = generator.acked + Math.floor(share / 2)
    if (wanted !== 'claim') {
      await limited(Promise.race([generator.until(target), run.ended]), 'records')
      // Some checkpoints may pass before.
      for (let skip = random.below(2); skip > 0; skip--) await limited(run.reached('begin'), 'a checkpoint')
    }
    const isThere = await limited(run.reached(wanted), wanted)
    run.kill()
    generator.wait()
    const { signal, err, code } = await run.ended
    if (!isThere || signal !== 'SIGKILL') throw new Error(`${one.name}: the pipeline ended itself (${code}): ${err}`)
    const last = run.phases.at(-1)!
    if (byPhase.has(last)) byPhase.set(last, byPhase.get(last)! + 1)
    kill++
  }
  generator.go()
  await limited(generator.until(form.records), 'the last records')
  const run = start(folder)
  await limited(Promise.race([caughtUp(run), run.ended]), 'the end')
  run.kill('SIGINT')
  const { code, err } = await limited(run.ended, 'the last run')
  if (code !== 0) throw new Error(`${one.name}: the last run ended with ${code}: ${err}`)
  await generator.close()
  const verdict = await judge(folder, one)
  if (isClean(verdict)) rmSync(folder, { recursive: true, force: true })
  return { byPhase, verdict, seed }
}

const start = (folder: string): PipelineProcess => new PipelineProcess(folder, ['run', 'p.sql'])

/** Two checkpoints without a new row between them cannot be told from outside: five of them have passed everything. */
async function caughtUp(run: PipelineProcess): Promise<void> {
  for (let i = 0; i < 5; i++) {
    if (!(await Promise.race([run.reached('prune'), quiet()]))) return
  }
}

/** An idle pipeline takes no checkpoint: then all of it is done. */
const quiet = (): Promise<false> => new Promise((resolve) => setTimeout(resolve, 3000, false))

async function limited<T>(task: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${LIMIT_MS} ms`)), LIMIT_MS)
  })
  try {
    return await Promise.race([task, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The process that appends. */
class Generator {
  readonly #child: ChildProcess
  readonly #waiting = new Set<() => void>()
  acked = 0

  constructor({ folder, seed, records }: RoundsForm, { inputs }: Case) {
    const script = join(import.meta.dirname, '../generator.ts')
    const args = [script, String(seed), String(records), '1700000000000', join(folder, 'ledger')]
    this.#child = spawn(process.execPath, [...args, ...inputs.map((input) => join(folder, input))], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onLines(this.#child.stdout!, (line) => {
      this.acked = (JSON.parse(line) as { acked: number }).acked
      for (const wake of this.#waiting) wake()
    })
  }

  go(): void {
    this.#child.stdin!.write('go\n')
  }

  wait(): void {
    this.#child.stdin!.write('wait\n')
  }

  until(target: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.acked < target) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.on('close', resolve))
    if (this.#child.exitCode !== null) return
    this.#child.stdin!.write('stop\n')
    await ended
  }
}
