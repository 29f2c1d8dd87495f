import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { onLines } from './lines.ts'

/** The command as it is shipped. */
const main = join(import.meta.dirname, '../../bin/headrace.cjs')

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly err: string
}

/**
 * One run of a pipeline in a process group of its own, whose phases can be waited for: it writes them to a pipe as it
 * enters them.
 */
export class PipelineProcess {
  readonly #child: ChildProcess
  readonly ended: Promise<Ended>
  /** Phases that it entered, the last one last. */
  readonly phases: string[] = []
  readonly #waiting = new Set<(phase: string) => void>()
  err = ''

  constructor(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [main, ...args], {
      cwd,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', HEADRACE_PHASE_FD: '3', ...env },
    })
    onLines(this.#child.stdio[3] as Readable, (line) => {
      const phase = line.split(' ')[2]!
      this.phases.push(phase)
      for (const wake of [...this.#waiting]) wake(phase)
    })
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.err += chunk.toString()
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => {
        for (const wake of [...this.#waiting]) wake('')
        resolve({ code, signal, err: this.err })
      })
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Resolves when the phase is entered next; false when the process ends before. */
  reached(phase: string): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (entered: string): void => {
        if (entered !== phase && entered !== '') return
        this.#waiting.delete(wake)
        resolve(entered !== '')
      }
      this.#waiting.add(wake)
    })
  }

  /** SIGKILL for the whole group, from outside. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    try {
      process.kill(-this.pid, signal)
    } catch {
      // It has ended.
    }
  }
}
