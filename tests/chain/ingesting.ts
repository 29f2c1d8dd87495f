import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { main, type Outcome } from '../end-to-end/cli.ts'

/** What `headrace ingest` wrote of a batch. */
export interface Row {
  readonly _op?: string
  readonly batch_number: number
  readonly batch_hash: string
}

export function rowsOf(path: string): Row[] {
  if (!existsSync(path)) return []
  // A line that is being written is none yet.
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Row)
}

/** `headrace ingest` beside the test. */
export class Ingesting {
  readonly #child: ChildProcess
  readonly #ended: Promise<Outcome>
  err = ''

  constructor(cwd: string, args: readonly string[]) {
    this.#child = spawn(process.execPath, [main, 'ingest', ...args], { cwd, env: { ...process.env, NO_COLOR: '1' } })
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.err += chunk.toString()
    })
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', (code) => resolve({ code: code ?? undefined, out: '', err: this.err }))
    })
  }

  async until(isSo: () => boolean): Promise<void> {
    let over = false
    void this.#ended.then(() => {
      over = true
    })
    while (!isSo()) {
      if (over) throw new Error(`it ended: ${this.err}`)
      await pause(10)
    }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  stop(): Promise<Outcome> {
    this.#child.kill('SIGTERM')
    return this.#ended
  }
}
