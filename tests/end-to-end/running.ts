import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { type Call, main, type Outcome } from './cli.ts'

/** A pipeline that runs beside the test: it says when it enters the phases of its checkpoints. */
export class Running {
  readonly #child: ChildProcess
  readonly #waiting = new Set<(phase: string) => void>()
  readonly ended: Promise<Outcome>
  out = ''
  err = ''

  constructor(args: readonly string[], { cwd }: Call) {
    this.#child = spawn(process.execPath, [main, ...args], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', HEADRACE_PHASE_FD: '3' },
    })
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      this.out += chunk.toString()
    })
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.err += chunk.toString()
    })
    let rest = ''
    const phases = this.#child.stdio[3] as Readable
    phases.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop()!
      for (const line of lines) this.#wake(line.split(' ')[2]!)
    })
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code) => {
        this.#wake(undefined)
        resolve({ code: code ?? undefined, out: this.out, err: this.err })
      })
    })
  }

  #wake(phase: string | undefined): void {
    for (const wake of [...this.#waiting]) wake(phase ?? '')
  }

  /** Resolves when the phase is entered next; throws when the process ends before. */
  reached(phase: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (entered: string): void => {
        if (entered !== phase && entered !== '') return
        this.#waiting.delete(wake)
        if (entered === phase) resolve()
        else reject(new Error(`the pipeline ended: ${this.err}`))
      }
      this.#waiting.add(wake)
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}
