import type { Column } from '../core/column.ts'
import type { WorkerMemory } from '../core/memory.ts'

/** Row indexes that are kept, ascending; the first `count` entries count. */
export interface Kept {
  readonly rows: Int32Array
  readonly count: number
}

/**
 * Copies kept rows of one column into its own arrays, which are used again for the next batch. Texts stay where they are:
 * only their spans are copied. Cost: one load and one store per row and array.
 */
export class Gather implements Disposable {
  readonly #memory: WorkerMemory
  readonly #regions: { address: number; size: number }[] = []
  readonly #children: Gather[] = []

  constructor(memory: WorkerMemory) {
    this.#memory = memory
  }

  column(column: Column, kept: Kept): Column {
    const validity = column.validity === undefined ? undefined : this.bytes(1, column.validity, kept)
    switch (column.kind) {
      case 'f64':
        return { ...column, validity, data: this.#numbers(column.data, kept) }
      case 'i32':
        return { ...column, validity, data: this.#integers(column.data, kept) }
      case 'bool':
        return { ...column, validity, data: this.bytes(0, column.data, kept) }
      case 'dict':
        return { ...column, validity, codes: this.#integers(column.codes, kept) }
      case 'utf8':
        return { ...column, validity, spans: this.#spans(column.spans, kept) }
      case 'i64':
        return column.lane === 'safe'
          ? { ...column, validity, data: this.#numbers(column.data, kept) }
          : { ...column, validity, data: wideIntegers(column.data, kept) }
      case 'decimal':
        if (column.lane === 'ratio') {
          return { ...column, validity, sums: picked(column.sums, kept), counts: picked(column.counts, kept) }
        }
        return column.lane === 'safe'
          ? { ...column, validity, data: this.#numbers(column.data, kept) }
          : { ...column, validity, data: boxed(column.data, kept) }
      case 'boxed':
        return { ...column, validity, data: boxed(column.data, kept) }
      case 'struct':
        return { ...column, validity, fields: column.fields.map((child, i) => this.#child(i).column(child, kept)) }
    }
  }

  /** Kept bytes of an array of one byte per row; `slot` 0 and 1 are arrays of their own. */
  bytes(slot: 0 | 1, source: Uint8Array, { rows, count }: Kept): Uint8Array {
    const address = this.#region(slot, count)
    const target = new Uint8Array(this.#memory.buffer, address, count)
    for (let i = 0; i < count; i++) target[i] = source[rows[i]!]!
    return target
  }

  #numbers(source: Float64Array, { rows, count }: Kept, slot: 0 | 2 = 0): Float64Array {
    const address = this.#region(slot, count * 8)
    const target = new Float64Array(this.#memory.buffer, address, count)
    for (let i = 0; i < count; i++) target[i] = source[rows[i]!]!
    return target
  }

  #integers(source: Int32Array, { rows, count }: Kept): Int32Array {
    const address = this.#region(0, count * 4)
    const target = new Int32Array(this.#memory.buffer, address, count)
    for (let i = 0; i < count; i++) target[i] = source[rows[i]!]!
    return target
  }

  #spans(source: Uint32Array, { rows, count }: Kept): Uint32Array {
    const address = this.#region(0, count * 8)
    const target = new Uint32Array(this.#memory.buffer, address, count * 2)
    for (let i = 0; i < count; i++) {
      const row = rows[i]!
      target[2 * i] = source[2 * row]!
      target[2 * i + 1] = source[2 * row + 1]!
    }
    return target
  }

  #child(index: number): Gather {
    this.#children[index] ??= new Gather(this.#memory)
    return this.#children[index]
  }

  /** Address of a region of that size. It may grow the memory: ask before the buffer is taken. */
  #region(slot: number, size: number): number {
    const known = this.#regions[slot]
    if (known !== undefined && known.size >= size) return known.address
    if (known !== undefined) this.#memory.free(known.address, known.size)
    const wanted = Math.max(size, 64)
    const address = this.#memory.allocate(wanted)
    this.#regions[slot] = { address, size: wanted }
    return address
  }

  [Symbol.dispose](): void {
    for (const region of this.#regions) if (region !== undefined) this.#memory.free(region.address, region.size)
    this.#regions.length = 0
    for (const child of this.#children) child?.[Symbol.dispose]()
  }
}

function wideIntegers(source: BigInt64Array, { rows, count }: Kept): BigInt64Array {
  const target = new BigInt64Array(count)
  for (let i = 0; i < count; i++) target[i] = source[rows[i]!]!
  return target
}

function boxed<T>(source: { readonly [index: number]: T }, { rows, count }: Kept): T[] {
  return Array.from({ length: count }, (_, i) => source[rows[i]!]!)
}

const picked = (source: Float64Array, { rows, count }: Kept): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => source[rows[i]!]!)
