import type { Value } from '../../core/values.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import { KeyTable } from '../../kernels/key-table.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Accumulator, AccumulatorKind } from '../aggregates/accumulator.ts'
import { GroupCells } from '../aggregates/group-cells.ts'
import { readKeys, writeKeys } from '../keys/key-state.ts'

/** The groups of one window (or of all time): a key table, and by slot their cells and accumulators. */
export class Pane implements Disposable {
  /** Undefined when there are no keys: slot 0 is the only group. */
  readonly table: KeyTable | undefined
  readonly cells: GroupCells
  readonly accumulators: readonly Accumulator[]
  /** What was emitted last, per slot; only for changes. */
  readonly emitted = new Map<number, readonly Value[]>()
  /** Slots of `emitted` that have −0 where the group's results have 0, or the reverse. */
  readonly unlike = new Set<number>()
  /** Slots below it that are not in `emitted` have emitted what their results are: it was restored. */
  settled = 0
  #slots = 0

  constructor(kinds: readonly AccumulatorKind[], kernels: Kernels, keyed: boolean) {
    this.table = keyed ? new KeyTable(kernels, { expected: 64 }) : undefined
    const offsets = cellOffsets(kinds)
    this.cells = new GroupCells(
      kernels.memory,
      kinds.reduce((sum, kind) => sum + kind.cells, 0),
    )
    this.accumulators = kinds.map((kind, i) => kind.create({ cells: this.cells, offset: offsets[i]! }))
  }

  get slots(): number {
    return this.table === undefined ? this.#slots : this.table.size
  }

  /** Gives the keys of positions `from` … `to` their slots and makes room for them. */
  assign(spansAddress: number, from: number, to: number, slots: Int32Array): void {
    if (this.table === undefined) {
      slots.fill(0, from, to)
      this.#slots = 1
    } else this.table.lookup(spansAddress, from, to, slots.byteOffset)
    this.reserve()
  }

  reserve(): void {
    const { slots } = this
    this.cells.reserve(slots)
    for (const accumulator of this.accumulators) accumulator.reserve?.(slots)
  }

  /** The one group of a grouping without keys, also over no rows. */
  ensureSingle(): void {
    if (this.table === undefined) {
      this.#slots = 1
      this.reserve()
    }
  }

  /** Forgets all groups, keeps the memory for the next window. */
  clear(): void {
    const { slots } = this
    for (const accumulator of this.accumulators) accumulator.clear(slots)
    this.cells.clear(slots)
    this.emitted.clear()
    this.unlike.clear()
    this.settled = 0
    this.table?.clear()
    this.#slots = 0
  }

  /** Keys, cells and what accumulators keep beside them; not what was emitted. */
  snapshot(out: StateWriter): void {
    const { slots } = this
    if (this.table === undefined) out.bool(slots === 1)
    else writeKeys(out, this.table)
    this.cells.snapshot(out, slots)
    for (const accumulator of this.accumulators) accumulator.snapshot(out, slots)
  }

  /** Fills an empty pane. */
  restore(state: StateReader): void {
    if (this.table === undefined) this.#slots = state.bool() ? 1 : 0
    else readKeys(state, this.table)
    this.cells.restore(state, this.slots)
    this.reserve()
    for (const accumulator of this.accumulators) accumulator.restore(state, this.slots)
  }

  [Symbol.dispose](): void {
    this.table?.[Symbol.dispose]()
    this.cells[Symbol.dispose]()
  }
}

/** Where the cells of each accumulator begin in a group's row; cell 0 counts its rows. */
export function cellOffsets(kinds: readonly AccumulatorKind[]): readonly number[] {
  let next = 1
  return kinds.map((kind) => {
    const offset = next
    next += kind.cells
    return offset
  })
}
