import { PADDING, type WorkerMemory } from '../../core/memory.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'

const SMALLEST = 64

/**
 * The numbers that a pane keeps for its groups: one row of float64 cells per slot, padded so that a row lies on one
 * cache line of 64 bytes where it fits. Cell 0 counts the group's rows; the others belong to the accumulators.
 */
export class GroupCells implements Disposable {
  /** Cells from one group's row to the next: cell c of slot s is `data[s * stride + c]`. */
  readonly stride: number
  /** Replaced by `reserve`: loops read it anew per run. */
  data: Float64Array
  readonly #memory: WorkerMemory
  #address: number
  #slots = SMALLEST

  /** `cells`: how many the accumulators want together. */
  constructor(memory: WorkerMemory, cells: number) {
    this.#memory = memory
    this.stride = strideFor(1 + cells)
    this.#address = this.#allocate()
    this.data = this.#view()
    this.data.fill(0)
  }

  /** Makes room for slots below `slots`; new rows are 0. */
  reserve(slots: number): void {
    if (slots <= this.#slots) return
    const [old, address, size] = [this.data, this.#address, this.#bytes]
    while (this.#slots < slots) this.#slots *= 2
    this.#address = this.#allocate()
    this.data = this.#view()
    this.data.set(old)
    this.data.fill(0, old.length)
    this.#memory.free(address, size)
  }

  /** Rows of a group that came and were not taken back. */
  rows(slot: number): number {
    return this.data[slot * this.stride]!
  }

  /** Empties slots below `slots`, keeping the memory. */
  clear(slots: number): void {
    this.data.fill(0, 0, slots * this.stride)
  }

  snapshot(out: StateWriter, slots: number): void {
    out.f64s(this.data.subarray(0, slots * this.stride))
  }

  restore(state: StateReader, slots: number): void {
    const bytes = state.f64Bytes(slots * this.stride)
    this.reserve(slots)
    new Uint8Array(this.data.buffer, this.data.byteOffset, bytes.length).set(bytes)
  }

  [Symbol.dispose](): void {
    this.#memory.free(this.#address, this.#bytes)
  }

  /** A region's padding is its own too, so a power of two takes just that. */
  get #bytes(): number {
    return 8 * this.stride * this.#slots - PADDING
  }

  #allocate(): number {
    return this.#memory.allocate(this.#bytes)
  }

  #view(): Float64Array {
    return new Float64Array(this.#memory.buffer, this.#address, this.stride * this.#slots)
  }
}

/** 1, 2, 4 or a multiple of 8. */
const strideFor = (cells: number): number => (cells <= 4 ? 2 ** Math.ceil(Math.log2(cells)) : (cells + 7) & ~7)

/** An accumulator's place in a pane's cells. */
export interface Place {
  readonly cells: GroupCells
  /** Its first cell. */
  readonly offset: number
}

/**
 * How many of a group's rows an aggregate takes part in. Every row of a group adds to cell 0; those that an aggregate
 * leaves out (a NULL argument, a FILTER that is not true) are counted here, which the common case never touches.
 */
export class RowsTaken {
  readonly #cells: GroupCells
  #skipped: Float64Array = new Float64Array(0)
  #dirty = false

  constructor(cells: GroupCells) {
    this.#cells = cells
  }

  /** One row was left out (1), or one that was left out was taken back (−1). */
  skip(slot: number, sign: 1 | -1): void {
    if (slot >= this.#skipped.length) {
      const larger = new Float64Array(Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(slot + 1))))
      larger.set(this.#skipped)
      this.#skipped = larger
    }
    this.#skipped[slot]! += sign
    this.#dirty = true
  }

  of(slot: number): number {
    const rows = this.#cells.rows(slot)
    return this.#dirty && slot < this.#skipped.length ? rows - this.#skipped[slot]! : rows
  }

  clear(): void {
    if (this.#dirty) this.#skipped.fill(0)
    this.#dirty = false
  }

  snapshot(out: StateWriter, slots: number): void {
    let used = this.#dirty ? Math.min(slots, this.#skipped.length) : 0
    while (used > 0 && this.#skipped[used - 1] === 0) used--
    out.f64s(this.#skipped.subarray(0, used))
  }

  restore(state: StateReader): void {
    this.#skipped = state.f64s()
    this.#dirty = this.#skipped.length > 0
  }
}
