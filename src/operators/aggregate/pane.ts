import type { Value } from '../../core/values.ts'
import type { Kernels } from '../../kernels/kernels.ts'
import { KeyTable } from '../../kernels/key-table.ts'
import type { Accumulator, AccumulatorKind } from '../aggregates/accumulator.ts'
import { grownF64 } from '../aggregates/grow.ts'

/** The groups of one window (or of all time): a key table and one accumulator per aggregate, by slot. */
export class Pane implements Disposable {
  /** Undefined when there are no keys: slot 0 is the only group. */
  readonly table: KeyTable | undefined
  readonly accumulators: readonly Accumulator[]
  /** Live rows per slot; kept only where rows can be taken back or changes are emitted. */
  live: Float64Array = new Float64Array(0)
  /** What was emitted last, per slot; only for changes. */
  readonly emitted = new Map<number, readonly Value[]>()
  #slots = 0

  constructor(kinds: readonly AccumulatorKind[], kernels: Kernels, keyed: boolean) {
    this.table = keyed ? new KeyTable(kernels, { expected: 64 }) : undefined
    this.accumulators = kinds.map((kind) => kind.create())
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
    for (const accumulator of this.accumulators) accumulator.reserve(slots)
    this.live = grownF64(this.live, slots)
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
    this.live.fill(0, 0, slots)
    this.emitted.clear()
    this.table?.clear()
    this.#slots = 0
  }

  [Symbol.dispose](): void {
    this.table?.[Symbol.dispose]()
  }
}
