import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { type Ended, PipelineProcess, type ProcessForm } from '../pipeline-process.ts'

const LIMIT_MS = 30_000

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Throws with `what` unless it becomes true in time. */
export async function until(what: string, isSo: () => boolean, ms = LIMIT_MS): Promise<void> {
  for (const end = Date.now() + ms; !isSo(); ) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`)
    await pause(10)
  }
}

/** What is awaited, or an error that names it. */
export async function within<T>(what: string, task: Promise<T>, ms = LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms)
  })
  try {
    return await Promise.race([task, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Resolves when the run enters the phase next; throws when it ends before. */
export async function entered(run: PipelineProcess, phase: string): Promise<void> {
  if (!(await within(phase, run.reached(phase)))) throw new Error(`it ended before ${phase}: ${run.err}`)
}

export function expect(what: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${what}: ${String(found)}, not ${String(wanted)}`)
}

/** `SELECT` of the pipeline that a bench has when nothing else is said. */
export const scriptOf = (where = ''): string => `-- @name p
SET checkpoint.interval = '100ms';
CREATE STREAM s (id BIGINT) FROM 'file:in.jsonl?watch=true&poll_interval=100ms';
INSERT INTO 'out/' SELECT id FROM s${where};
`

/** A folder with one pipeline that copies numbers; instances of it are started, stopped, woken. Ends all of them. */
export class Bench implements AsyncDisposable {
  readonly folder: string
  readonly #runs: PipelineProcess[] = []
  rows = 0

  constructor(folder: string, script = scriptOf()) {
    this.folder = folder
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    this.put('p.sql', script)
    this.put('in.jsonl', '')
  }

  put(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text)
  }

  append(rows = 100): void {
    const ids = Array.from({ length: rows }, (_, i) => `{"id":${this.rows + i}}\n`)
    appendFileSync(join(this.folder, 'in.jsonl'), ids.join(''))
    this.rows += rows
  }

  start(args: readonly string[] = [], form: ProcessForm = {}): PipelineProcess {
    const run = new PipelineProcess(this.folder, ['run', 'p.sql', ...args], form)
    this.#runs.push(run)
    return run
  }

  get checkpoints(): string {
    return join(this.folder, '.headrace/pipelines/p/checkpoints')
  }

  /** Names of complete snapshots, the newest last. */
  snapshots(): string[] {
    return readdirSync(this.checkpoints)
      .filter((name) => name.endsWith('.ckpt'))
      .sort()
  }

  /** Lines in the published files. */
  seen(): number {
    const lines = this.published().map(
      (name) => readFileSync(join(this.folder, 'out', name), 'utf8').split('\n').length - 1,
    )
    return lines.reduce((sum, count) => sum + count, 0)
  }

  published(): string[] {
    try {
      return readdirSync(join(this.folder, 'out')).filter((name) => name.endsWith('.jsonl') && !name.startsWith('.'))
    } catch {
      return []
    }
  }

  /** Resolves when every row is published; more than that is told by the verdict. Rejects when the last run ends. */
  async all(): Promise<void> {
    const isThere = (): boolean => this.seen() >= this.rows
    // Some of the starts may have been refused: one that runs is enough.
    await until(`${this.rows} rows are published`, () => isThere() || this.#runs.every((run) => run.hasEnded))
    if (isThere()) return
    const { err } = this.#runs.at(-1)!
    throw new Error(`it ended with ${this.seen()} of ${this.rows} rows: ${err} (${this.folder})`)
  }

  /** Stops an instance in order. */
  async stop(run: PipelineProcess): Promise<Ended> {
    run.kill('SIGINT')
    const ended = await within('a stop in order', run.ended)
    if (ended.code !== 0) throw new Error(`stopped with ${ended.code}: ${ended.err}`)
    return ended
  }

  /** Throws unless every row is there once. */
  async verdict(glob = 'out/*.jsonl', rows = this.rows): Promise<string> {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    try {
      const from = `read_json('${this.folder}/${glob}', format='newline_delimited', columns={id: 'BIGINT'})`
      const result = await connection.runAndReadAll(`SELECT count(*), count(DISTINCT id) FROM ${from}`)
      const [seen, ids] = result.getRows()[0]!.map(Number) as [number, number]
      const facts = `rows ${rows}, lost ${rows - ids}, dup ${seen - ids}`
      if (seen !== rows || ids !== rows) throw new Error(`${facts} (${this.folder})`)
      return facts
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const run of this.#runs) run.kill()
    for (const run of this.#runs) await run.ended
  }
}
