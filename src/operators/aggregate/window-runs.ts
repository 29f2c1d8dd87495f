import type { WorkerMemory } from '../../core/memory.ts'
import type { KeyWriter } from '../keys/key-writer.ts'
import type { Intake } from './row-intake.ts'

/** Windows that rows are brought together for; beyond that the runs stay as they came. */
const WINDOWS_MAX = 16

/**
 * The rows of an intake, with those of one window side by side. Near the border of two windows rows out of order make
 * hundreds of short runs; brought together, in their order, they cost one call per window.
 */
export class WindowRuns implements Disposable {
  /** Rows by position, and the address of their keys' spans: the intake's own, or copies in the new order. */
  rows: Int32Array
  spansAddress: number
  readonly #memory: WorkerMemory
  readonly #capacity: number
  readonly #sortedRows: Int32Array
  readonly #sortedSpans: Uint32Array
  readonly #address: number
  readonly #windows = new Float64Array(WINDOWS_MAX)
  /** Where the next row of each window goes. */
  readonly #next = new Int32Array(WINDOWS_MAX)

  constructor(memory: WorkerMemory, capacity: number) {
    this.#memory = memory
    this.#capacity = capacity
    this.#address = memory.allocate(8 * capacity)
    this.#sortedSpans = new Uint32Array(memory.buffer, this.#address, 2 * capacity)
    this.#sortedRows = new Int32Array(capacity)
    this.rows = this.#sortedRows
    this.spansAddress = this.#address
  }

  /** Takes over what the intake holds, with one run per window. */
  take(intake: Intake, writer: KeyWriter): void {
    this.rows = intake.rows
    this.spansAddress = writer.spansAddress
    if (intake.runs < 3) return
    const windows = this.#count(intake)
    if (windows === 0 || windows === intake.runs) return
    this.#copy(intake, writer.spans)
    this.rows = this.#sortedRows
    this.spansAddress = this.#address
    // #next now holds the end of each window's run.
    intake.runs = windows
    for (let i = 0; i < windows; i++) {
      intake.runWindow[i] = this.#windows[i]!
      intake.runStart[i + 1] = this.#next[i]!
    }
  }

  /** Finds the windows and where their rows begin; 0 when there are too many. */
  #count(intake: Intake): number {
    const { runs, runStart, runWindow } = intake
    const next = this.#next
    let windows = 0
    for (let run = 0; run < runs; run++) {
      const index = this.#indexOf(runWindow[run]!, windows)
      if (index === WINDOWS_MAX) return 0
      if (index === windows) {
        this.#windows[windows++] = runWindow[run]!
        next[index] = 0
      }
      next[index]! += runStart[run + 1]! - runStart[run]!
    }
    let start = 0
    for (let i = 0; i < windows; i++) {
      const rows = next[i]!
      next[i] = start
      start += rows
    }
    return windows
  }

  #indexOf(window: number, windows: number): number {
    let index = 0
    while (index < windows && this.#windows[index] !== window) index++
    return index
  }

  #copy(intake: Intake, spans: Uint32Array): void {
    const { runs, runStart, runWindow, rows } = intake
    for (let run = 0; run < runs; run++) {
      const index = this.#indexOf(runWindow[run]!, WINDOWS_MAX)
      let to = this.#next[index]!
      for (let i = runStart[run]!; i < runStart[run + 1]!; i++, to++) {
        this.#sortedRows[to] = rows[i]!
        this.#sortedSpans[2 * to] = spans[2 * i]!
        this.#sortedSpans[2 * to + 1] = spans[2 * i + 1]!
      }
      this.#next[index] = to
    }
  }

  [Symbol.dispose](): void {
    this.#memory.free(this.#address, 8 * this.#capacity)
  }
}
