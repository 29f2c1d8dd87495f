import type { DataType } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { type Hash64, hash64 } from '../../expr/hash.ts'
import { jsonOfValue } from '../../expr/value-json.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import { readSlots, writeSlots } from './slot-state.ts'

const REGISTERS = 4096
const INDEX_BITS = 12
const EXACT_MAX = 256
/** Bias correction of HyperLogLog for 4096 registers. */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS)

/** Different hashes while they are few, then the registers of HyperLogLog (Flajolet and others). */
class Sketch {
  #exact: Map<string, Hash64> | undefined = new Map()
  #registers: Uint8Array | undefined

  add(hash: Hash64): void {
    if (this.#registers !== undefined) {
      this.#observe(hash)
      return
    }
    const exact = this.#exact!
    exact.set(`${hash.high}.${hash.low}`, hash)
    if (exact.size <= EXACT_MAX) return
    this.#registers = new Uint8Array(REGISTERS)
    for (const known of exact.values()) this.#observe(known)
    this.#exact = undefined
  }

  /** The first 12 bits choose a register; it keeps the longest run of zeros (plus one) of the others. */
  #observe({ high, low }: Hash64): void {
    const index = high >>> (32 - INDEX_BITS)
    const rest = (high << INDEX_BITS) >>> 0
    const zeros = rest === 0 ? 32 - INDEX_BITS + Math.clz32(low) : Math.clz32(rest)
    const registers = this.#registers!
    if (zeros + 1 > registers[index]!) registers[index] = zeros + 1
  }

  snapshot(out: StateWriter): void {
    out.bool(this.#registers !== undefined)
    if (this.#registers !== undefined) out.bytes(this.#registers)
    else {
      out.list(this.#exact!, ([, { high, low }]) => {
        out.u32(high)
        out.u32(low)
      })
    }
  }

  static restored(state: StateReader): Sketch {
    const sketch = new Sketch()
    if (state.bool()) {
      sketch.#registers = state.bytes().slice()
      sketch.#exact = undefined
      if (sketch.#registers.length !== REGISTERS) state.refuse('has a sketch of another size')
    } else state.list(() => sketch.add({ high: state.u32(), low: state.u32() }))
    return sketch
  }

  estimate(): number {
    if (this.#registers === undefined) return this.#exact!.size
    let [sum, empty] = [0, 0]
    for (const register of this.#registers) {
      sum += 2 ** -register
      if (register === 0) empty++
    }
    const raw = (ALPHA * REGISTERS * REGISTERS) / sum
    const counted = raw <= 2.5 * REGISTERS && empty > 0 ? REGISTERS * Math.log(REGISTERS / empty) : raw
    return Math.round(counted)
  }
}

/** APPROX_COUNT_DISTINCT: standard error 1.6 %, exact up to 256 values; NULLs do not count. */
class ApproximateDistinct implements Accumulator {
  readonly #type: DataType
  #slots: (Sketch | undefined)[] = []

  constructor(type: DataType) {
    this.#type = type
  }

  reserve(slots: number): void {
    while (this.#slots.length < slots) this.#slots.push(undefined)
  }

  add(slot: number, args: readonly Value[]): void {
    const value = args[0]!
    if (value === null) return
    const text = typeof value === 'string' ? value : jsonOfValue(value === 0 ? 0 : value, this.#type)
    let sketch = this.#slots[slot]
    if (sketch === undefined) {
      sketch = new Sketch()
      this.#slots[slot] = sketch
    }
    sketch.add(hash64(text))
  }

  result(slot: number): Value {
    return this.#slots[slot]?.estimate() ?? 0
  }

  clear(slots: number): void {
    this.#slots.fill(undefined, 0, slots)
  }

  snapshot(out: StateWriter, slots: number): void {
    writeSlots(out, this.#slots, slots, (sketch) => sketch.snapshot(out))
  }

  restore(state: StateReader, slots: number): void {
    this.#slots = readSlots(state, slots, () => Sketch.restored(state))
  }
}

export const approximateDistinctKind = (type: DataType): AccumulatorKind => ({
  cells: 0,
  create: () => new ApproximateDistinct(type),
})
