import type { ChildProcess } from 'node:child_process'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { PipelineProcess } from '../pipeline-process.ts'
import type { Thread } from './points.ts'
import { type Injection, readCalls, tracedMain, tracePool } from './strace.ts'

// A start with its claim and first checkpoint, two epochs with rows in two sinks, a dead letter in each, a prune, and a stop with an epoch of
// its own: every kind of call that delivery makes.

const sql = `-- @name p
SET checkpoint.interval = '100ms';
SET checkpoint.retained = 1;
SET dlq.location = 'file:dlq/';
CREATE STREAM s (id BIGINT, key STRING, amount BIGINT) FROM 'file:in.jsonl?watch=true&poll_interval=100ms';
INSERT INTO 'file:out/?partition_by=key&roll_records=40' SELECT id, key, amount FROM s;
INSERT INTO 'app.jsonl' SELECT id, key FROM s;
`

/** Rows of one of the two parts; one record more in each is no row. */
const PART = 60
const PARTS = 2
const LIMIT_MS = 30_000

function part(n: number): string {
  const rows = Array.from({ length: PART }, (_, i) => n * PART + i)
  const lines = rows.map((id) => JSON.stringify({ id, key: id % PART < 50 ? 'a' : `b${n}`, amount: id }))
  return `${lines.join('\n')}\n{"id":"poison ${n}","key":"a","amount":1}\n`
}

export interface ScenarioVerdict {
  readonly out: string
  readonly appended: string
  readonly letters: string
  /** Staged names that nobody will remove. */
  readonly left: readonly string[]
}

export const clean: ScenarioVerdict = {
  out: `${PART * PARTS} rows, ${PART * PARTS} ids`,
  appended: `${PART * PARTS} rows, ${PART * PARTS} ids`,
  letters: `${PARTS} rows, ${PARTS} ids`,
  left: [],
}

/** What one thread of a run is traced with. */
export interface Trace {
  readonly thread: Thread
  readonly out: string
  readonly injection?: Injection | undefined
}

/** One folder with a pipeline that is run, broken and run to its end. */
export class Scenario {
  readonly folder: string
  #parts = 0

  constructor(folder: string) {
    this.folder = folder
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'p.sql'), sql)
    writeFileSync(join(folder, 'in.jsonl'), '')
  }

  #append(): void {
    if (this.#parts < PARTS) appendFileSync(join(this.folder, 'in.jsonl'), part(this.#parts++))
  }

  /** Runs it once, traced; resolves when it has ended, by itself or by what was done to a call. */
  async run(traces: readonly Trace[]): Promise<PipelineProcess> {
    const main = traces.find(({ thread }) => thread === 'main')
    const pool = traces.find(({ thread }) => thread === 'pool')
    const run = new PipelineProcess(this.folder, ['run', 'p.sql'], {
      under: main === undefined ? [] : tracedMain(main.out, main.injection),
      hold: { phase: 'claim', ms: 300 },
      env: { UV_THREADPOOL_SIZE: '1', NODE_DISABLE_COMPILE_CACHE: '1' },
    })
    let tracer: ChildProcess | undefined
    const looking = setInterval(() => {
      for (const { out, injection } of traces) if (injection?.what === 'stop' && isStopped(out)) run.kill()
    }, 5)
    // Behind an error it may stand still for good: then it is killed like any other.
    const last = setTimeout(() => run.kill(), LIMIT_MS)
    try {
      if (!(await run.reached('claim'))) return run
      if (pool !== undefined) {
        process.kill(run.pipelinePid, 'SIGSTOP')
        tracer = await tracePool(run.pipelinePid, pool.out, pool.injection)
        process.kill(run.pipelinePid, 'SIGCONT')
      }
      // The first checkpoint holds where it begins, and no rows.
      if (!(await run.reached('prune'))) return run
      for (let part = 0; part < PARTS; part++) {
        const pruned = run.reached('prune')
        this.#append()
        if (!(await pruned)) return run
      }
      process.kill(run.pipelinePid, 'SIGINT')
      return run
    } finally {
      await run.ended
      clearInterval(looking)
      clearTimeout(last)
      tracer?.kill()
    }
  }

  /** Starts it again, until everything is there and it was stopped in order; as often as it ends by itself. */
  async finish(): Promise<void> {
    while (this.#parts < PARTS) this.#append()
    for (let tries = 1; ; tries++) {
      const run = new PipelineProcess(this.folder, ['run', 'p.sql'])
      const started = run.reached('claim')
      const complete = started.then((isStarted) => (isStarted ? this.#isComplete() : undefined))
      const isThere = await Promise.race([complete, run.ended.then(() => undefined)])
      if (isThere !== undefined) {
        run.kill('SIGINT')
        const { code, err } = await run.ended
        if (code !== 0) throw new Error(`stopped with ${code}: ${err}`)
        return
      }
      if (tries === 3) throw new Error(`it ends by itself: ${run.err}`)
    }
  }

  /** False when it takes too long: the verdict will say what is missing. */
  async #isComplete(): Promise<boolean> {
    const end = Date.now() + LIMIT_MS
    const [out, letters, appended] = [PART * PARTS, PARTS, PART * PARTS]
    while (Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const isThere = this.#lines('out') >= out && this.#lines('dlq') >= letters && this.#lines('app.jsonl') >= appended
      if (isThere) return true
    }
    return false
  }

  #lines(name: string): number {
    return visibleFiles(join(this.folder, name)).reduce(
      (lines, file) => lines + readFileSync(file, 'utf8').split('\n').length - 1,
      0,
    )
  }

  async verdict(): Promise<ScenarioVerdict> {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const count = async (glob: string, id: string): Promise<string> => {
      const from = `read_json('${this.folder}/${glob}', format='newline_delimited', records=true)`
      const rows = (await connection.runAndReadAll(`SELECT count(*), count(DISTINCT ${id}) FROM ${from}`)).getRows()
      return `${rows[0]![0]} rows, ${rows[0]![1]} ids`
    }
    try {
      return {
        out: await count('out/**/*.jsonl', 'id'),
        appended: await count('app.jsonl', 'id'),
        letters: await count('dlq/*.jsonl', 'id'),
        left: leftNames(this.folder),
      }
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function isStopped(out: string): boolean {
  try {
    return readCalls(out).stopped
  } catch {
    return false
  }
}

/** What a reader of the target sees. */
function visibleFiles(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith('.headrace-'))
      .map((entry) => join(entry.parentPath, entry.name))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTDIR') return [path]
    if (code === 'ENOENT') return []
    throw error
  }
}

/** After a stop in order nothing of an older instance is staged; what the last one left goes at the next start. */
function leftNames(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }).map(String)
  const ledger = names.find((name) => /^\.headrace-p-app\w*\.ledger$/.test(name))!
  const { owner, lineages } = JSON.parse(readFileSync(join(folder, ledger), 'utf8')) as {
    owner: string
    lineages: Record<string, { incarnation: string }>
  }
  const incarnation = Number(lineages[owner]!.incarnation)
  return names.filter((name) => {
    const match = /\.tmp-\d+-(\d+)-\w+$|\.headrace-.*-\d+-(\d+)-\d+-\w+$/.exec(name)
    return match !== null && Number(match[1] ?? match[2]) < incarnation
  })
}
