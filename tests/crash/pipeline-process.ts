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

export interface ProcessForm {
  readonly env?: Readonly<Record<string, string>>
  /** The program, with its arguments, that the pipeline runs under. */
  readonly under?: readonly string[]
  /** The phase in whose beginning it stands still for some milliseconds. */
  readonly hold?: { readonly phase: string; readonly ms: number } | undefined
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
  /** The same with the epochs that they belong to. */
  readonly epochs: { readonly phase: string; readonly epoch: number }[] = []
  readonly #waiting = new Set<(phase: string) => void>()
  /** Of the pipeline itself, also where it runs under another program; 0 before its first phase. */
  pipelinePid = 0
  err = ''
  hasEnded = false

  constructor(cwd: string, args: readonly string[], { env = {}, under = [], hold }: ProcessForm = {}) {
    const command = [...under, process.execPath, main, ...args]
    this.#child = spawn(command[0]!, command.slice(1), {
      cwd,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NO_COLOR: '1',
        HEADRACE_PHASE_FD: '3',
        ...(hold === undefined ? {} : { HEADRACE_PHASE_HOLD: `${hold.phase}:${hold.ms}` }),
        ...env,
      },
    })
    onLines(this.#child.stdio[3] as Readable, (line) => {
      const [pid, epoch, phase] = line.split(' ') as [string, string, string]
      this.pipelinePid = Number(pid)
      this.phases.push(phase)
      this.epochs.push({ phase, epoch: Number(epoch) })
      for (const wake of [...this.#waiting]) wake(phase)
    })
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.err += chunk.toString()
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => {
        this.hasEnded = true
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
