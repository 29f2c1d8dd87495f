import type { Random } from '../../src/core/random.ts'
import { type Cell, compareCells } from './plain.ts'
import type { Event } from './streams.ts'

/** An aggregate as SQL and as a plain function of the rows of a group, in the order of arrival. */
export interface Aggregate {
  readonly sql: string
  readonly of: (events: readonly Event[]) => Cell
  /** False where the order of arrival or of time decides: not over revised rows. */
  readonly timed?: boolean
}

const values = (events: readonly Event[]): bigint[] => events.flatMap(({ v }) => (v === undefined ? [] : [v]))
const doubles = (events: readonly Event[]): number[] => events.flatMap(({ d }) => (d === undefined ? [] : [d]))
const texts = (events: readonly Event[]): string[] => events.flatMap(({ k }) => (k === undefined ? [] : [k]))

const least = <T extends Cell>(items: readonly T[], sign: 1 | -1): T | undefined =>
  items.length === 0 ? undefined : items.reduce((best, item) => (sign * compareCells(item, best) < 0 ? item : best))

/** Sum / count with 16 digits behind the point, halves away from zero. */
function mean(items: readonly bigint[]): string | undefined {
  if (items.length === 0) return undefined
  const sum = items.reduce((a, b) => a + b, 0n)
  const scaled = (sum < 0n ? -sum : sum) * 10n ** 16n
  const count = BigInt(items.length)
  const rounded = (2n * scaled + count) / (2n * count)
  const digits = rounded.toString().padStart(17, '0')
  const sign = sum < 0n && rounded > 0n ? '-' : ''
  return `#${sign}${digits.slice(0, -16)}.${digits.slice(-16)}`
}

/** By event time; ties by arrival. */
function edge(events: readonly Event[], last: boolean): bigint | undefined {
  const known = events.filter(({ v }) => v !== undefined)
  const sorted = [...known].sort((a, b) => a.ts! - b.ts!)
  return (last ? sorted.at(-1) : sorted[0])?.v
}

const distinct = <T>(items: readonly T[]): T[] => [...new Set(items)]

const sumOf = (items: readonly bigint[]): bigint | undefined =>
  items.length === 0 ? undefined : items.reduce((a, b) => a + b, 0n)

export const aggregates: readonly Aggregate[] = [
  { sql: 'COUNT(*)', of: (events) => events.length },
  { sql: 'COUNT(v)', of: (events) => values(events).length },
  { sql: 'SUM(v)', of: (events) => sumOf(values(events)) },
  { sql: 'AVG(v)', of: (events) => mean(values(events)) },
  { sql: 'MIN(v)', of: (events) => least(values(events), 1) },
  { sql: 'MAX(v)', of: (events) => least(values(events), -1) },
  { sql: 'MIN(k)', of: (events) => least(texts(events), 1) },
  { sql: 'MAX(k)', of: (events) => least(texts(events), -1) },
  { sql: 'MAX(d)', of: (events) => least(doubles(events), -1) },
  {
    sql: 'SUM(d)',
    of: (events) => (doubles(events).length === 0 ? undefined : doubles(events).reduce((a, b) => a + b)),
  },
  {
    sql: 'AVG(d)',
    of: (events) => {
      const items = doubles(events)
      return items.length === 0 ? undefined : items.reduce((a, b) => a + b) / items.length
    },
  },
  { sql: 'COUNT(DISTINCT v)', of: (events) => distinct(values(events)).length },
  { sql: 'COUNT(DISTINCT k)', of: (events) => distinct(texts(events)).length },
  { sql: 'SUM(DISTINCT v)', of: (events) => sumOf(distinct(values(events))) },
  {
    sql: 'COUNT(*) FILTER (WHERE v > 10)',
    of: (events) => events.filter(({ v }) => v !== undefined && v > 10n).length,
  },
  {
    sql: 'SUM(v) FILTER (WHERE d < 0)',
    of: (events) => sumOf(values(events.filter(({ d }) => d !== undefined && d < 0))),
  },
  { sql: 'BOOL_OR(v > 50)', of: (events) => some(events, (v) => v > 50n) },
  { sql: 'BOOL_AND(v > -15)', of: (events) => every(events, (v) => v > -15n) },
  { sql: 'COUNT_IF(d >= 50)', of: (events) => events.filter(({ d }) => d !== undefined && d >= 50).length },
  { sql: 'FIRST(v)', of: (events) => edge(events, false), timed: true },
  { sql: 'LAST(v)', of: (events) => edge(events, true), timed: true },
  {
    sql: "STRING_AGG(k, '+' ORDER BY k)",
    of: (events) => {
      const sorted = texts(events).sort(compareCells)
      return sorted.length === 0 ? undefined : sorted.join('+')
    },
  },
]

const some = (events: readonly Event[], test: (v: bigint) => boolean): boolean | undefined =>
  values(events).length === 0 ? undefined : values(events).some(test)

const every = (events: readonly Event[], test: (v: bigint) => boolean): boolean | undefined =>
  values(events).length === 0 ? undefined : values(events).every(test)

export function randomAggregates(random: Random, timed: boolean): Aggregate[] {
  const able = aggregates.filter((aggregate) => timed || aggregate.timed !== true)
  return Array.from({ length: random.between(1, 5) }, () => random.pick(able))
}
