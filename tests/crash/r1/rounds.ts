import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '../../../src/core/random.ts'
import { onLines } from '../lines.ts'
import { PipelineProcess, type ProcessForm } from '../pipeline-process.ts'
import type { Case } from './cases.ts'
import { isClean, judge, type Verdict } from './verdict.ts'

export interface RoundsForm {
  readonly folder: string
  readonly seed: number
  readonly kills: number
  /** Kills that each phase gets at the least. */
  readonly perPhase: number
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

/** So many times as many kills, at the most, make up for those that came too late. */
const MAKE_UP = 2

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
  // A part is left for the last run, and one for the kills that make up for those that came too late.
  const share = (0.8 * form.records) / (form.kills + 1)
  const rest = (0.1 * form.records) / (MAKE_UP * form.kills)
  const isLeftOut = (): boolean => Math.min(...byPhase.values()) < form.perPhase
  for (let kill = 0; kill < form.kills || (isLeftOut() && kill < (1 + MAKE_UP) * form.kills); ) {
    const makesUp = kill >= form.kills
    const least = Math.min(...byPhase.values())
    const wanted = random.pick(PHASES.filter((phase) => byPhase.get(phase) === least))
    // Short phases are over before a signal lands: the process stands still in its beginning, and the kill comes before,
    // in, or behind the work of the phase.
    const hold = { phase: wanted, ms: makesUp ? 200 : 5 + random.below(20) }
    const delay = random.below(makesUp ? hold.ms / 4 : 1.5 * hold.ms)
    const run = start(folder, hold)
    let hit = run.reached(wanted)
    if (wanted !== 'claim') {
      await limited(run.reached('claim'), 'the claim')
      // Some checkpoints may pass before; each has rows of its own.
      const bursts = 1 + random.below(2)
      for (let burst = 1; burst <= bursts; burst++) {
        if (burst === bursts) hit = run.reached(wanted)
        const begun = run.reached('begin')
        await limited(generator.until(generator.acked + (makesUp ? rest : share) / bursts), 'records')
        if (burst < bursts) await limited(begun, 'a checkpoint')
      }
    }
    const isThere = await limited(hit, wanted)
    await new Promise((resolve) => setTimeout(resolve, delay))
    run.kill()
    const { signal, err, code } = await run.ended
    if (!isThere || signal !== 'SIGKILL') throw new Error(`${one.name}: the pipeline ended itself (${code}): ${err}`)
    const last = run.phases.at(-1)!
    if (byPhase.has(last)) byPhase.set(last, byPhase.get(last)! + 1)
    kill++
  }
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

const start = (folder: string, hold?: ProcessForm['hold']): PipelineProcess =>
  new PipelineProcess(folder, ['run', 'p.sql'], { hold })

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
  readonly #records: number
  acked = 0

  constructor({ folder, seed, records }: RoundsForm, { inputs }: Case) {
    this.#records = records
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

  /** Lets it append up to `target` records in all; resolves when they are synced. */
  until(target: number): Promise<void> {
    const most = Math.min(this.#records, Math.ceil(target))
    this.#child.stdin!.write(`${most}\n`)
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.acked < most) return
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
    this.#child.stdin!.end()
    await ended
  }
}
