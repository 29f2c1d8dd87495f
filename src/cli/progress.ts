import type { Clock } from '../core/clock.ts'
import type { RunControl, RunStatus, Wait } from '../headrace/run-control.ts'
import type { Progress } from '../headrace/run-digest.ts'
import { grouped, spanText } from './columns.ts'
import type { Io } from './io.ts'

const SHOWN_MS = 100
/** While no rows come, the line is renewed that often. */
const IDLE_MS = 500

/** A line on the terminal that is written over while a pipeline runs; nothing elsewhere. */
export class ProgressLine {
  readonly #clock: Clock
  readonly #io: Io
  readonly #started: number
  readonly #over = new AbortController()
  #shown: number
  #visible = false
  #last: Progress = { rowsIn: 0, rowsOut: 0, lateRows: 0, deadLetters: 0 }
  #control: RunControl | undefined
  /** Undefined where there is no terminal: nobody needs to call it. */
  readonly show: ((progress: Progress) => void) | undefined
  /** Takes the handle on the pipeline, which knows what it waits for. */
  readonly follow: ((control: RunControl | undefined) => void) | undefined

  constructor(clock: Clock, io: Io) {
    this.#clock = clock
    this.#io = io
    this.#started = clock.elapsedMs()
    this.#shown = this.#started
    if (!io.errIsTerminal) return
    this.show = (progress) => {
      this.#last = progress
      if (clock.elapsedMs() - this.#shown >= SHOWN_MS) this.#print()
    }
    this.follow = (control) => {
      this.#control = control
    }
    void this.#renew()
  }

  async #renew(): Promise<void> {
    for (;;) {
      await this.#clock.sleep(IDLE_MS, this.#over.signal)
      if (this.#over.signal.aborted) return
      if (this.#control !== undefined && this.#clock.elapsedMs() - this.#shown >= IDLE_MS) this.#print()
    }
  }

  #print(): void {
    const now = this.#clock.elapsedMs()
    this.#shown = now
    this.#visible = true
    const { rowsIn, lateRows, deadLetters } = this.#last
    const parts = [
      `${grouped(rowsIn)} rows`,
      `${grouped(Math.round(rowsIn / ((now - this.#started) / 1000)))}/s`,
      ...(lateRows > 0 ? [`late ${grouped(lateRows)}`] : []),
      ...(deadLetters > 0 ? [`dead letters ${grouped(deadLetters)}`] : []),
      ...(this.#control === undefined ? [] : waitsText(this.#control.status())),
    ]
    this.#io.err(`\r\u001b[K${this.#io.paint('quiet', parts.join(' · '))}`)
  }

  /** Takes the line away before something else is printed. */
  clear(): void {
    if (this.#visible) this.#io.err('\r\u001b[K')
    this.#visible = false
  }

  close(): void {
    this.#over.abort()
    this.clear()
  }
}

/** What the pipeline waits for, in a few words each. */
export function waitsText({ checkpoint, waits }: Pick<RunStatus, 'checkpoint' | 'waits'>): string[] {
  const words = waits.flatMap((wait) => WORDS[wait.cause]?.(wait) ?? [])
  const next = checkpoint.next_ms
  return next === null || checkpoint.phase !== 'idle' ? words : [...words, `next commit in ${spanText(next)}`]
}

const WORDS: Readonly<Partial<Record<Wait['cause'], (wait: Wait) => string>>> = {
  paused: () => 'paused',
  dlq_full: () => 'the queue of dead letters takes no more',
  dlq_rate: () => 'paused: too many dead letters',
  no_input: ({ since_ms }) => `no input for ${spanText(since_ms)}`,
  sink: ({ since_ms }) => `the sink takes rows slowly for ${spanText(since_ms)}`,
  window_open: ({ detail }) => detail.replace(/ until later event times come$/, ''),
}
