import type { Random } from '../../src/core/random.ts'

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

/** Record `i`; call in order, the generator's state is the order. */
export function click(random: Random, i: number, shape: ClickShape): Click {
  const late = random.chance(shape.lateShare) ? random.below(shape.lateMs) : 0
  const skew = random.float()
  return {
    event_time: Math.max(START, START + Math.floor((i / shape.records) * shape.spanMs) - late),
    user_id: `u${Math.floor(skew * skew * shape.users)}`,
    url: `https://shop.example.com/p/${random.below(1_000_000)}`,
    amount: random.below(20_000) / 100,
    status: random.pick(STATUSES),
    latency: Math.floor(-Math.log(1 - random.float()) * 60),
    channel: random.pick(CHANNELS),
  }
}
