import type { Value } from '../../core/values.ts'
import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'
import type { Accumulator, AccumulatorKind } from './accumulator.ts'
import {
  type DoubleDouble,
  ddAdd,
  ddDivide,
  ddMultiply,
  ddNegate,
  ddOf,
  ddProduct,
  ddSubtract,
  ddValue,
} from './double-double.ts'
import { readRecords, writeRecords } from './slot-state.ts'

/** Counts and sums of pairs (y, x); single-argument moments use x = y. All sums are double-doubles. */
interface Sums {
  n: number
  /** Pairs with NaN or an infinity: the answer is then NaN. */
  special: number
  x: DoubleDouble
  y: DoubleDouble
  xx: DoubleDouble
  yy: DoubleDouble
  xy: DoubleDouble
  /** Largest Σx² and Σy² since the slot was empty: the scale of what rounding has left behind. */
  peakX: number
  peakY: number
}

/** Numbers in a `Sums`. */
const NUMBERS = 14

const numbersOf = ({ n, special, x, y, xx, yy, xy, peakX, peakY }: Sums): readonly number[] => [
  ...[n, special, peakX, peakY],
  ...[x, y, xx, yy, xy].flatMap(({ high, low }) => [high, low]),
]

function sumsOf(numbers: Float64Array): Sums {
  const [n, special, peakX, peakY] = numbers as unknown as readonly [number, number, number, number]
  const pair = (at: number): DoubleDouble => ({ high: numbers[at]!, low: numbers[at + 1]! })
  return { n, special, peakX, peakY, x: pair(4), y: pair(6), xx: pair(8), yy: pair(10), xy: pair(12) }
}

/** Centred sums below this share of the peak are rounding, not spread: double-doubles carry some 104 bits. */
const NOISE = 2 ** -98

const ZERO = ddOf(0)
const empty = (): Sums => ({ n: 0, special: 0, x: ZERO, y: ZERO, xx: ZERO, yy: ZERO, xy: ZERO, peakX: 0, peakY: 0 })

/** Centred sums: Σ(x − x̄)², Σ(y − ȳ)², Σ(x − x̄)(y − ȳ). */
interface Centred {
  readonly n: number
  readonly sxx: number
  readonly syy: number
  readonly sxy: number
  readonly meanX: number
  readonly meanY: number
}

type Finish = (centred: Centred) => number | null

/** VAR, STDDEV, CORR, COVAR and REGR of DOUBLE; rows with a NULL argument are skipped. */
class Moments implements Accumulator {
  readonly #finish: Finish
  readonly #whenEmpty: Value
  #slots: Sums[] = []

  constructor(finish: Finish, whenEmpty: Value) {
    this.#finish = finish
    this.#whenEmpty = whenEmpty
  }

  reserve(slots: number): void {
    while (this.#slots.length < slots) this.#slots.push(empty())
  }

  add(slot: number, args: readonly Value[]): void {
    this.#step(slot, args, 1)
  }

  retract(slot: number, args: readonly Value[]): void {
    this.#step(slot, args, -1)
  }

  #step(slot: number, args: readonly Value[], sign: 1 | -1): void {
    const [y, x = y] = args as readonly (number | null)[]
    if (y === null || y === undefined || x === null || x === undefined) return
    const sums = this.#slots[slot]!
    sums.n += sign
    if (sums.n === 0) {
      this.#slots[slot] = empty()
      return
    }
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      sums.special += sign
      return
    }
    const signed = (value: DoubleDouble): DoubleDouble => (sign === 1 ? value : ddNegate(value))
    sums.x = ddAdd(sums.x, signed(ddOf(x)))
    sums.y = ddAdd(sums.y, signed(ddOf(y)))
    sums.xx = ddAdd(sums.xx, signed(ddProduct(x, x)))
    sums.yy = ddAdd(sums.yy, signed(ddProduct(y, y)))
    sums.xy = ddAdd(sums.xy, signed(ddProduct(x, y)))
    sums.peakX = Math.max(sums.peakX, sums.xx.high)
    sums.peakY = Math.max(sums.peakY, sums.yy.high)
  }

  result(slot: number): Value {
    const sums = this.#slots[slot]!
    if (sums.n === 0) return this.#whenEmpty
    if (sums.special > 0) return Number.NaN
    return this.#finish(centred(sums))
  }

  clear(slots: number): void {
    this.#slots = this.#slots.slice(slots)
  }

  snapshot(out: StateWriter, slots: number): void {
    writeRecords(out, NUMBERS, slots, (slot) => numbersOf(this.#slots[slot]!))
  }

  restore(state: StateReader, slots: number): void {
    this.#slots = readRecords(state, NUMBERS, slots, sumsOf)
  }
}

function centred({ n, x, y, xx, yy, xy, peakX, peakY }: Sums): Centred {
  const rest = (product: DoubleDouble, a: DoubleDouble, b: DoubleDouble): number =>
    ddValue(ddSubtract(product, ddDivide(ddMultiply(a, b), n)))
  return {
    n,
    sxx: n === 1 ? 0 : spread(rest(xx, x, x), peakX),
    syy: n === 1 ? 0 : spread(rest(yy, y, y), peakY),
    sxy: rest(xy, x, y),
    meanX: ddValue(ddDivide(x, n)),
    meanY: ddValue(ddDivide(y, n)),
  }
}

const spread = (sum: number, peak: number): number => (sum <= peak * NOISE ? 0 : sum)

/** Rounding may pass ±1 by an ulp. */
const clamped = (r: number): number => Math.max(-1, Math.min(1, r))

/** The root of the product where it neither overflows nor underflows: exact for data on a line. */
function geometricMean(a: number, b: number): number {
  const product = a * b
  return Number.isFinite(product) && product > 1e-300 ? Math.sqrt(product) : Math.sqrt(a) * Math.sqrt(b)
}

const finishes: Readonly<Record<string, Finish>> = {
  VAR_POP: ({ n, sxx }) => sxx / n,
  VAR_SAMP: ({ n, sxx }) => (n < 2 ? null : sxx / (n - 1)),
  STDDEV_POP: ({ n, sxx }) => Math.sqrt(sxx / n),
  STDDEV_SAMP: ({ n, sxx }) => (n < 2 ? null : Math.sqrt(sxx / (n - 1))),
  COVAR_POP: ({ n, sxy }) => sxy / n,
  COVAR_SAMP: ({ n, sxy }) => (n < 2 ? null : sxy / (n - 1)),
  CORR: ({ sxx, syy, sxy }) => (sxx === 0 || syy === 0 ? null : clamped(sxy / geometricMean(sxx, syy))),
  REGR_SLOPE: ({ sxx, sxy }) => (sxx === 0 ? null : sxy / sxx),
  REGR_INTERCEPT: ({ sxx, sxy, meanX, meanY }) => (sxx === 0 ? null : meanY - (sxy / sxx) * meanX),
  REGR_R2: ({ sxx, syy, sxy }) => (sxx === 0 ? null : syy === 0 ? 1 : (sxy * sxy) / (sxx * syy)),
  REGR_COUNT: ({ n }) => n,
  REGR_AVGX: ({ meanX }) => meanX,
  REGR_AVGY: ({ meanY }) => meanY,
  REGR_SXX: ({ sxx }) => sxx,
  REGR_SYY: ({ syy }) => syy,
  REGR_SXY: ({ sxy }) => sxy,
}

export const momentNames: readonly string[] = Object.keys(finishes)

export function momentKind(name: string): AccumulatorKind {
  return { cells: 0, create: () => new Moments(finishes[name]!, name === 'REGR_COUNT' ? 0 : null) }
}
