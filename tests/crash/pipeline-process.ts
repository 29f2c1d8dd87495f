import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createReadStream, openSync, closeSync, constants } from 'node:fs'
import { join } from 'node:path'
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
    const fifo = join(cwd, 'phases.fifo')
    try {
      execFileSync('mkfifo', [fifo], { stdio: 'ignore' })
    } catch {
      // It is there from the run before.
    }
    // Open for both: the pipe then never ends and nobody waits for the other side.
    const descriptor = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    const stream = createReadStream('', { fd: descriptor, autoClose: false })
    onLines(stream, (line) => {
      const phase = line.split(' ')[2]!
      this.phases.push(phase)
      for (const wake of this.#waiting) wake(phase)
    })
    this.#child = spawn(process.execPath, [main, ...args], {
      cwd,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', HEADRACE_PHASE_LOG: fifo, ...env },
    })
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.err += chunk.toString()
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => {
        // What was written before the end is still in the pipe.
        setImmediate(() => {
          stream.destroy()
          closeSync(descriptor)
          for (const wake of this.#waiting) wake('')
          resolve({ code, signal, err: this.err })
        })
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
