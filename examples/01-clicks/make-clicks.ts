import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Makes the input of clicks.sql: `node make-clicks.ts`.

/** The published record: seven fields, about 149 bytes as JSON. */
export interface Click {
  readonly event_time: number
  readonly user_id: string
  readonly url: string
  readonly amount: number
  readonly status: string
  readonly latency: number
  readonly channel: string
}

export interface ClickShape {
  readonly records: number
  readonly users: number
  /** Event time of all records, milliseconds. */
  readonly spanMs: number
  /** Share of records out of order, and by how much at most. */
  readonly lateShare: number
  readonly lateMs: number
}

export const publishedShape = (records: number): ClickShape => ({
  records,
  users: 10_000,
  spanMs: 20 * 60_000,
  lateShare: 0.1,
  lateMs: 2000,
})

/** 2026-01-01T00:00:00Z in milliseconds. */
const START = 1_767_225_600_000
const CHANNELS = ['web', 'ios', 'android', 'store']
const STATUSES = ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'error', 'timeout', 'retry']

/** Where the chances come from. */
export interface Chances {
  /** 0 ≤ result < 1. */
  float(): number
}

const below = (random: Chances, bound: number): number => Math.floor(random.float() * bound)
const pick = (random: Chances, items: readonly string[]): string => items[below(random, items.length)] ?? ''

/** Record `i`; call in order, the generator's state is the order. */
export function click(random: Chances, i: number, shape: ClickShape): Click {
  const late = random.float() < shape.lateShare ? below(random, shape.lateMs) : 0
  const skew = random.float()
  return {
    event_time: Math.max(START, START + Math.floor((i / shape.records) * shape.spanMs) - late),
    user_id: `u${Math.floor(skew * skew * shape.users)}`,
    url: `https://shop.example.com/p/${below(random, 1_000_000)}`,
    amount: below(random, 20_000) / 100,
    status: pick(random, STATUSES),
    latency: Math.floor(-Math.log(1 - random.float()) * 60),
    channel: pick(random, CHANNELS),
  }
}

/** The same numbers everywhere, drawn from a seed (sfc32). */
function chancesOf(seed: number): Chances {
  let [a, b, c, count] = [seed, (seed ^ 0x9e3779b9) | 0, 0x243f6a88, 1]
  const next = (): number => {
    const t = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  return { float: () => next() / 4294967296 }
}

const RECORDS = 20_000
const SEED = 1

/** Writes `clicks.jsonl` beside this file, the same bytes every time; returns its path. */
export function makeClicks(): string {
  const path = join(import.meta.dirname, 'clicks.jsonl')
  if (existsSync(path)) return path
  const chances = chancesOf(SEED)
  const shape = publishedShape(RECORDS)
  const lines = Array.from({ length: RECORDS }, (_, i) => `${JSON.stringify(click(chances, i, shape))}\n`)
  writeFileSync(path, lines.join(''))
  return path
}

if (import.meta.main) process.stdout.write(`${makeClicks()}\n`)
