import { appendFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeadLetters } from '../dead-letters.ts'
import { Engine } from '../engine.ts'
import type { Digest } from '../run-digest.ts'
import { compileScript } from '../script.ts'
import { runPipeline } from '../supervise.ts'
import type { DurableOptions } from './start.ts'

const at = (id: number): string => `2026-01-01T00:00:${String(id).padStart(2, '0')}Z`
const lines = (ids: readonly number[]): string => ids.map((id) => `{"id":${id},"t":"${at(id)}"}\n`).join('')

/** For tests: a folder with an input, an output and a data directory, where pipelines are run in process. */
export class TestPlace implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'headrace-place-'))
  readonly dataDir = join(this.folder, 'state')
  /** What the last run told its user. */
  readonly said: string[] = []

  /** Replaces `in.jsonl` by rows with these ids, one for each second. */
  put(ids: readonly number[]): void {
    writeFileSync(join(this.folder, 'new'), lines(ids))
    renameSync(join(this.folder, 'new'), join(this.folder, 'in.jsonl'))
  }

  append(file: string, ids: readonly number[]): void {
    this.appendText(file, lines(ids))
  }

  appendText(file: string, text: string): void {
    appendFileSync(join(this.folder, file), text)
  }

  /** Runs a script until so many items of two rows were read and committed, or to its end. */
  async run(text: string, items: number, options: Partial<DurableOptions> = {}): Promise<Digest> {
    const { folder, dataDir, said } = this
    const engine = new Engine({ baseDirectory: folder, batchRows: 2 })
    const script = { file: 'p.sql', text, baseDirectory: folder, name: 'p', parameters: new Map() }
    const { plan } = await compileScript(engine, script)
    const stop = new AbortController()
    let left = items
    said.length = 0
    const durable: DurableOptions = {
      at: { dataDir, script: undefined },
      allowDroppedState: false,
      takeover: true,
      afterItem: async (take) => {
        if (--left > 0) return
        if (left === 0) await take()
        stop.abort()
      },
      ...options,
    }
    const input = {
      plan,
      baseDirectory: folder,
      deadLetters: new DeadLetters(() => undefined),
      client: (): never => {
        throw new Error('nothing goes to the client')
      },
      durable,
      onStart: (notes: readonly string[]) => void said.push(...notes),
      onWarning: (error: Error) => void said.push(error.message),
    }
    return await runPipeline(engine, input, stop.signal)
  }

  names(): string[] {
    return readdirSync(this.folder)
  }

  /** The rows of all files in `out/`, sorted as text. */
  written(): unknown[] {
    const out = join(this.folder, 'out')
    const names = readdirSync(out).filter((name) => !name.startsWith('.'))
    const lines = names.flatMap((name) => readFileSync(join(out, name), 'utf8').trim().split('\n'))
    return lines.sort().map((line) => JSON.parse(line))
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}
