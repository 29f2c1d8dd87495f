import type { Random } from '../../src/core/random.ts'

/** A row of the random streams; `undefined` is NULL. Times in microseconds. */
export interface Event {
  readonly k: string | undefined
  readonly v: bigint | undefined
  /** A multiple of 1/4, so that sums are exact in any order. */
  readonly d: number | undefined
  readonly ts: number | undefined
}

/** How the watermark follows from a row. */
export interface WatermarkRule {
  readonly sql: string
  /** Undefined leaves the watermark. */
  readonly of: (event: Event) => number | undefined
}

export interface Shape {
  readonly keys: readonly (string | undefined)[]
  /** Values beyond 2⁵³. */
  readonly wide: boolean
  readonly nullTimes: boolean
  readonly stepMicros: number
  readonly watermark: WatermarkRule
}

export const SECOND = 1_000_000
const START = 1_767_225_600 * SECOND

export function randomShape(random: Random): Shape {
  const alphabet = ['a', 'b', 'c', 'ü', '', 'a longer key that is not inline', 'zz', undefined]
  return {
    keys: alphabet.slice(random.below(4), random.between(5, alphabet.length)),
    wide: random.chance(0.25),
    nullTimes: random.chance(0.3),
    stepMicros: random.pick([0.2, 1, 7]) * SECOND,
    watermark: randomWatermark(random),
  }
}

function randomWatermark(random: Random): WatermarkRule {
  const seconds = random.pick([0, 1, 5, 30])
  const delayed: WatermarkRule = {
    sql: `ts - INTERVAL '${seconds}' SECOND`,
    of: ({ ts }) => (ts === undefined ? undefined : ts - seconds * SECOND),
  }
  const punctuated: WatermarkRule = {
    sql: "CASE WHEN d > 0 THEN ts - INTERVAL '2' SECOND END",
    of: ({ ts, d }) => (ts === undefined || d === undefined || d <= 0 ? undefined : ts - 2 * SECOND),
  }
  return random.pick([delayed, delayed, delayed, { sql: 'ts', of: ({ ts }) => ts }, punctuated])
}

/** Times go forward in steps, with jitter, and now and then far back. */
export function randomEvents(rows: number, shape: Shape, random: Random): Event[] {
  let clock = START
  return Array.from({ length: rows }, () => {
    clock += Math.floor(random.float() * shape.stepMicros)
    return {
      k: random.pick(shape.keys),
      v: random.chance(0.05) ? undefined : randomValue(shape, random),
      d: random.chance(0.05) ? undefined : random.between(-400, 400) / 4,
      ts: shape.nullTimes && random.chance(0.02) ? undefined : clock - randomDelay(shape, random),
    }
  })
}

function randomValue(shape: Shape, random: Random): bigint {
  if (shape.wide && random.chance(0.2)) return 9_007_199_254_740_990n + BigInt(random.below(6))
  return BigInt(random.between(-20, 60))
}

function randomDelay(shape: Shape, random: Random): number {
  const roll = random.float()
  if (roll < 0.6) return 0
  if (roll < 0.95) return random.below(3 * shape.stepMicros)
  return random.below(200 * shape.stepMicros)
}

/** Cuts a length at random places: runs of one row, of a few, of many. */
export function randomCuts(length: number, random: Random): number[] {
  const cuts: number[] = []
  for (let at = 0; at < length; ) {
    const most = random.pick([1, 7, 100, 100, 2000])
    const size = Math.min(length - at, random.between(1, most))
    cuts.push(size)
    at += size
  }
  return cuts
}
