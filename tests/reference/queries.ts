import type { Random } from '../../src/core/random.ts'
import { type Aggregate, randomAggregates } from './aggregates.ts'
import { type Arrival, byTime, type Cell, compareCells, type Grid, groupBy, tumble } from './plain.ts'
import { type Event, SECOND } from './streams.ts'

export interface Answer {
  /** Rows of LATE DATA TO, when the query has it. */
  readonly lateData?: readonly (readonly Cell[])[]
  readonly rows: readonly (readonly Cell[])[]
  readonly late: number
}

/** A query over `input` (columns k, v, d, ts) and what it gives, computed row at a time. */
export interface Query {
  readonly sql: (input: string) => string
  /** `rows`: a multiset; `table`: the folded changelog; `ordered`: as they come. */
  readonly form: 'rows' | 'table' | 'ordered'
  readonly answer: (rows: readonly Arrival[]) => Answer
}

interface Filter {
  readonly sql: string
  readonly test: (event: Event) => boolean
}

const filters: readonly Filter[] = [
  { sql: '', test: () => true },
  { sql: '', test: () => true },
  { sql: 'v > 5', test: ({ v }) => v !== undefined && v > 5n },
  { sql: "k <> 'a'", test: ({ k }) => k !== undefined && k !== 'a' },
  { sql: 'k IS NOT NULL AND d < 30', test: ({ k, d }) => k !== undefined && d !== undefined && d < 30 },
  {
    sql: "k IN ('b', 'zz', '') OR v % 3 = 1",
    test: ({ k, v }) => ['b', 'zz', ''].includes(k ?? '?') || (v ?? 0n) % 3n === 1n,
  },
  { sql: 'NOT (v BETWEEN 0 AND 20)', test: ({ v }) => v !== undefined && (v < 0n || v > 20n) },
  { sql: 'd IS NULL OR d * 2 > 10', test: ({ d }) => d === undefined || d * 2 > 10 },
  { sql: 'LENGTH(k) > 1', test: ({ k }) => k !== undefined && [...k].length > 1 },
]

interface Key {
  readonly sql: string
  readonly of: (event: Event) => Cell
}

const keys: readonly Key[] = [
  { sql: 'k', of: ({ k }) => k },
  { sql: "COALESCE(k, 'none')", of: ({ k }) => k ?? 'none' },
  { sql: 'v % 4', of: ({ v }) => (v === undefined ? undefined : v % 4n) },
  { sql: 'v', of: ({ v }) => v },
  { sql: 'd > 0', of: ({ d }) => (d === undefined ? undefined : d > 0) },
  {
    sql: "CASE WHEN v > 20 THEN 'high' WHEN v > 0 THEN 'low' END",
    of: ({ v }) => (v === undefined || v <= 0n ? undefined : v > 20n ? 'high' : 'low'),
  },
  { sql: 'd', of: ({ d }) => d },
]

const where = ({ sql }: Filter): string => (sql === '' ? '' : ` WHERE ${sql}`)
const passing = (rows: readonly Arrival[], { test }: Filter): Arrival[] => rows.filter(({ event }) => test(event))
const eventsOf = (rows: readonly Arrival[]): Event[] => rows.map(({ event }) => event)
const seconds = (micros: number): string => `INTERVAL '${micros / SECOND}' SECOND`

const named = (items: readonly { readonly sql: string }[], prefix: string): string[] =>
  items.map(({ sql }, i) => `${sql} AS ${prefix}${i}`)

function randomKeys(random: Random, least: number): Key[] {
  const count = random.between(least, 2)
  const chosen: Key[] = []
  while (chosen.length < count) {
    const key = random.pick(keys)
    if (!chosen.includes(key)) chosen.push(key)
  }
  return chosen
}

function randomGrid(random: Random): Grid {
  const size = random.pick([1, 10, 60]) * SECOND
  return {
    size,
    offset: random.chance(0.3) ? random.between(1, 9) * (size / 10) : 0,
    lateness: random.chance(0.4) ? random.pick([1, 20]) * SECOND : 0,
  }
}

const micros = (time: number): bigint => BigInt(time)

function projection(random: Random): Query {
  const filter = random.pick(filters)
  const columns = randomKeys(random, 1)
  return {
    sql: (input) =>
      `SELECT ${[...named(columns, 'c'), 'v * 2 + 1 AS w', 'ts'].join(', ')} FROM ${input}${where(filter)}`,
    form: 'rows',
    answer: (rows) => ({
      rows: eventsOf(passing(rows, filter)).map((event) => [
        ...columns.map((column) => column.of(event)),
        event.v === undefined ? undefined : event.v * 2n + 1n,
        micros(event.ts!),
      ]),
      late: 0,
    }),
  }
}

function distinctRows(random: Random): Query {
  const filter = random.pick(filters)
  const columns = randomKeys(random, 1)
  return {
    sql: (input) => `SELECT DISTINCT ${named(columns, 'c').join(', ')} FROM ${input}${where(filter)}`,
    form: 'rows',
    answer: (rows) => {
      const all = eventsOf(passing(rows, filter))
      return { rows: groupBy(all, (event) => columns.map((column) => column.of(event))).map(({ key }) => key), late: 0 }
    },
  }
}

interface Windowed {
  readonly filter: Filter
  readonly keys: readonly Key[]
  readonly grid: Grid
  readonly aggregates: readonly Aggregate[]
  /** HAVING COUNT(*) > … */
  readonly above: number
}

const randomWindowed = (random: Random): Windowed => ({
  filter: random.pick(filters),
  keys: randomKeys(random, 0),
  grid: randomGrid(random),
  aggregates: randomAggregates(random, true),
  above: random.chance(0.3) ? random.between(1, 3) : 0,
})

function windowSql(
  { filter, keys: by, grid, aggregates, above }: Windowed,
  input: string,
  more: readonly string[],
): string {
  const items = [...named(by, 'c'), 'window_start', ...more, ...named(aggregates, 'a')]
  const offset = grid.offset === 0 ? '' : `, ${seconds(grid.offset)}`
  const groups = [...by.map(({ sql }) => sql), `TUMBLE(ts, ${seconds(grid.size)}${offset})`]
  const having = above > 0 ? ` HAVING COUNT(*) > ${above}` : ''
  return `SELECT ${items.join(', ')} FROM ${input}${where(filter)} GROUP BY ${groups.join(', ')}${having}`
}

function windowRows(windowed: Windowed, rows: readonly Arrival[]) {
  const { filter, keys: by, grid, above } = windowed
  const { groups, late, missed } = tumble(passing(rows, filter), grid, (event) => by.map((key) => key.of(event)))
  return { groups: groups.filter(({ events }) => above === 0 || events.length > above), late, missed }
}

function windowQuery(random: Random): Query {
  const windowed = randomWindowed(random)
  const changes = random.chance(0.25)
  const { grid, aggregates } = windowed
  const lateness = grid.lateness > 0 ? ` ALLOW LATENESS ${seconds(grid.lateness)}` : ''
  return {
    sql: (input) => `${windowSql(windowed, input, [])} EMIT ${changes ? 'CHANGES' : 'FINAL'}${lateness}`,
    form: changes ? 'table' : 'rows',
    answer: (rows) => {
      const { groups, late } = windowRows(windowed, rows)
      return {
        rows: groups.map(({ key, start, events }) => [
          ...key,
          micros(start),
          ...aggregates.map(({ of }) => of(events)),
        ]),
        late,
      }
    },
  }
}

/** LATE DATA TO: the row, the watermark that it came after, and the window that it missed. */
function lateData(random: Random): Query {
  const windowed = randomWindowed(random)
  const { grid, aggregates } = windowed
  const lateness = grid.lateness > 0 ? ` ALLOW LATENESS ${seconds(grid.lateness)}` : ''
  return {
    sql: (input) => {
      const rows = `(SELECT k, v, d, ts FROM ${input})`
      return `${windowSql(windowed, rows, [])} EMIT FINAL${lateness} LATE DATA TO 'memory://late'`
    },
    form: 'rows',
    answer: (rows) => {
      const { groups, late, missed } = windowRows(windowed, rows)
      return {
        rows: groups.map(({ key, start, events }) => [
          ...key,
          micros(start),
          ...aggregates.map(({ of }) => of(events)),
        ]),
        late,
        lateData: missed.map(({ event: { k, v, d, ts }, watermark, start, end }) => [
          ...[k, v, d],
          ...[ts!, watermark, start, end].map(micros),
        ]),
      }
    },
  }
}

/** A window over two branches of one stream that meet again: nothing changes against the stream itself. */
function branches(random: Random): Query {
  const windowed: Windowed = { ...randomWindowed(random), aggregates: randomAggregates(random, false) }
  const { grid, aggregates } = windowed
  const lateness = grid.lateness > 0 ? ` ALLOW LATENESS ${seconds(grid.lateness)}` : ''
  const columns = 'SELECT k, v, d, ts FROM'
  return {
    sql: (input) => {
      const both = `(${columns} ${input} WHERE d > 0 UNION ALL ${columns} ${input} WHERE d <= 0 OR d IS NULL)`
      return `${windowSql(windowed, both, [])} EMIT FINAL${lateness}`
    },
    form: 'rows',
    answer: (rows) => {
      const { groups, late } = windowRows(windowed, rows)
      return {
        rows: groups.map(({ key, start, events }) => [
          ...key,
          micros(start),
          ...aggregates.map(({ of }) => of(events)),
        ]),
        late,
      }
    },
  }
}

/** Windows over the results of windows: nothing of the inner results is late (rulings 24). */
function stacked(random: Random): Query {
  const inner: Windowed = { ...randomWindowed(random), keys: [keys[0]!], aggregates: [] }
  const { grid } = inner
  const size = grid.size * random.between(2, 6)
  const lateness = grid.lateness > 0 ? ` EMIT FINAL ALLOW LATENESS ${seconds(grid.lateness)}` : ''
  return {
    sql: (input) =>
      `SELECT c0, window_start, SUM(n) AS n, COUNT(*) AS parts FROM (${windowSql(inner, input, ['window_time', 'COUNT(*) AS n'])}${lateness}) GROUP BY c0, TUMBLE(window_time, ${seconds(size)})`,
    form: 'rows',
    answer: (rows) => {
      const { groups, late } = windowRows(inner, rows)
      const outer = groupBy(groups, ({ key, end }) => [key[0], micros(Math.floor((end - 1) / size) * size)])
      return {
        rows: outer.map(({ key, rows: parts }) => [
          ...key,
          parts.reduce((sum, { events }) => sum + events.length, 0),
          parts.length,
        ]),
        late,
      }
    },
  }
}

function changelog(random: Random): Query {
  const filter = random.pick(filters)
  const by = randomKeys(random, 0)
  const chosen = randomAggregates(random, true)
  const above = random.chance(0.4) ? random.between(1, 5) : 0
  const grouped = by.length === 0 ? '' : ` GROUP BY ${by.map(({ sql }) => sql).join(', ')}`
  const having = above > 0 ? ` HAVING COUNT(*) > ${above}` : ''
  return {
    sql: (input) =>
      `SELECT ${[...named(by, 'c'), ...named(chosen, 'a')].join(', ')} FROM ${input}${where(filter)}${grouped}${having} EMIT CHANGES`,
    form: 'table',
    answer: (rows) => {
      const all = eventsOf(passing(rows, filter))
      const groups = groupBy(all, (event) => by.map((key) => key.of(event)))
      const shown = groups.filter((group) => above === 0 || group.rows.length > above)
      const found = shown.map((group) => [...group.key, ...chosen.map(({ of }) => of(group.rows))])
      const empty = by.length === 0 && groups.length === 0 && above === 0
      return { rows: empty ? [chosen.map(({ of }) => of([]))] : found, late: 0 }
    },
  }
}

/** A grouping over a grouping: the outer one takes rows back. */
function revised(random: Random): Query {
  const filter = random.pick(filters)
  const by = randomKeys(random, 1)
  const outer = randomAggregates(random, false)
  return {
    sql: (input) =>
      `SELECT n % 3 AS g, ${named(outer, 'a').join(', ')} FROM (SELECT COUNT(*) AS n, MAX(k) AS k, MIN(v) AS v, SUM(d) AS d FROM ${input}${where(filter)} GROUP BY ${by.map(({ sql }) => sql).join(', ')}) GROUP BY g EMIT CHANGES`,
    form: 'table',
    answer: (rows) => {
      const groups = groupBy(eventsOf(passing(rows, filter)), (event) => by.map((key) => key.of(event)))
      const inner = groups.map(({ rows: events }) => ({ n: events.length, event: summary(events) }))
      const found = groupBy(inner, ({ n }) => [n % 3])
      return {
        rows: found.map(({ key, rows: parts }) => [
          ...key,
          ...outer.map(({ of }) => of(parts.map(({ event }) => event))),
        ]),
        late: 0,
      }
    },
  }
}

function summary(events: readonly Event[]): Event {
  const of = <T extends Cell>(items: readonly (T | undefined)[], sign: number) =>
    items.filter((item) => item !== undefined).sort((a, b) => sign * compareCells(a, b))[0]
  const doubles = events.flatMap(({ d }) => (d === undefined ? [] : [d]))
  return {
    k: of(
      events.map(({ k }) => k),
      -1,
    ),
    v: of(
      events.map(({ v }) => v),
      1,
    ),
    d: doubles.length === 0 ? undefined : doubles.reduce((a, b) => a + b),
    ts: undefined,
  }
}

function top(random: Random): Query {
  const filter = random.pick(filters)
  const limit = random.between(1, 20)
  const offset = random.chance(0.3) ? random.between(1, 5) : 0
  return {
    sql: (input) =>
      `SELECT k, v, d FROM ${input}${where(filter)} ORDER BY v DESC NULLS LAST, k, d LIMIT ${limit}${offset > 0 ? ` OFFSET ${offset}` : ''}`,
    form: 'table',
    answer: (rows) => {
      const all = eventsOf(passing(rows, filter)).map(({ k, v, d }) => [k, v, d] as const)
      const down = (a: Cell, b: Cell) => (a === undefined || b === undefined ? compareCells(a, b) : -compareCells(a, b))
      const sorted = all.sort((a, b) => down(a[1], b[1]) || compareCells(a[0], b[0]) || compareCells(a[2], b[2]))
      return { rows: sorted.slice(offset, offset + limit), late: 0 }
    },
  }
}

/** The largest groups of a changelog. */
function topGroups(random: Random): Query {
  const filter = random.pick(filters)
  const key = random.pick(keys)
  const limit = random.between(1, 6)
  return {
    sql: (input) =>
      `SELECT ${key.sql} AS c0, COUNT(*) AS n FROM ${input}${where(filter)} GROUP BY ${key.sql} ORDER BY n DESC, c0 LIMIT ${limit} EMIT CHANGES`,
    form: 'table',
    answer: (rows) => {
      const groups = groupBy(eventsOf(passing(rows, filter)), (event) => [key.of(event)])
      const sorted = groups.sort((a, b) => b.rows.length - a.rows.length || compareCells(a.key[0], b.key[0]))
      return { rows: sorted.slice(0, limit).map((group) => [...group.key, group.rows.length]), late: 0 }
    },
  }
}

function inOrder(random: Random): Query {
  const filter = random.pick(filters)
  return {
    sql: (input) => `SELECT ts, k, v FROM ${input}${where(filter)} ORDER BY ts`,
    form: 'ordered',
    answer: (rows) => {
      const { events, late } = byTime(passing(rows, filter))
      return { rows: events.map(({ ts, k, v }) => [micros(ts!), k, v]), late }
    },
  }
}

const makers = [
  projection,
  distinctRows,
  windowQuery,
  windowQuery,
  windowQuery,
  stacked,
  branches,
  lateData,
  changelog,
  revised,
  top,
  topGroups,
  inOrder,
]

export const randomQuery = (random: Random): Query => random.pick(makers)(random)
