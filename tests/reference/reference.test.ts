import { expect, test } from 'vitest'
import { Random } from '../../src/core/random.ts'
import { arrivals, cellText, type Part } from './plain.ts'
import { type Answer, type Query, randomQuery } from './queries.ts'
import { type Result, runQuery } from './run-query.ts'
import { randomCuts, randomEvents, randomShape } from './streams.ts'

/** HEADRACE_REFERENCE=full: 200 streams of 20,000 rows; HEADRACE_SEED: another first seed. */
const full = process.env['HEADRACE_REFERENCE'] === 'full'
const [streams, rows] = full ? [200, 20_000] : [24, 600]
const first = Number(process.env['HEADRACE_SEED'] ?? 1)
const seeds = Array.from({ length: streams }, (_, i) => first + i)

const QUERIES_PER_STREAM = 3

/** The parts of one or two streams in a random order that keeps the order inside each. */
function randomParts(channels: number, rowsEach: number, random: Random) {
  const shape = randomShape(random)
  const waiting = Array.from({ length: channels }, (_, split) => {
    const events = randomEvents(rowsEach, shape, random)
    let at = 0
    return randomCuts(rowsEach, random).map((size): Part => ({ split, events: events.slice(at, (at += size)) }))
  })
  const parts: Part[] = []
  for (
    let left = waiting.filter((some) => some.length > 0);
    left.length > 0;
    left = left.filter((some) => some.length > 0)
  ) {
    parts.push(random.pick(left).shift()!)
  }
  return { shape, parts }
}

const stream = (name: string, watermark: string): string =>
  `CREATE STREAM ${name} (k STRING, v BIGINT, d DOUBLE, ts TIMESTAMP, WATERMARK FOR ts AS ${watermark}) FROM 'memory://${name}';\n`

const lines = (rows: Answer['rows']): string[] =>
  rows.map((row) =>
    row.map((cell) => (typeof cell === 'string' && cell.startsWith('#') ? `'${cell}'` : cellText(cell))).join(' | '),
  )

function got(result: Result, form: Query['form']): string[] {
  const all = result.rows.map(({ cells, adds }) => ({ text: cells.join(' | '), adds }))
  if (form !== 'table') {
    expect(all.every(({ adds }) => adds)).toBe(true)
    return all.map(({ text }) => text)
  }
  const counts = new Map<string, number>()
  for (const { text, adds } of all) counts.set(text, (counts.get(text) ?? 0) + (adds ? 1 : -1))
  return [...counts].flatMap(([text, count]) =>
    count < 0 ? [`${count} × ${text}`] : new Array<string>(count).fill(text),
  )
}

test.each(seeds)('seed %i', { timeout: full ? 600_000 : 20_000 }, async (seed) => {
  const random = new Random(seed)
  const channels = random.chance(0.3) ? ['a', 'b'] : ['a']
  const { shape, parts } = randomParts(channels.length, Math.ceil(rows / channels.length), random)
  const declared = channels.map((name) => stream(name, shape.watermark.sql)).join('')
  const union = channels.map((name) => `SELECT k, v, d, ts FROM ${name}`).join(' UNION ALL ')
  const input = channels.length === 1 ? 'a' : `(${union}) AS u`
  const rowsIn = arrivals(parts, channels.length, shape.watermark.of)
  const nullTimes = parts.flatMap(({ events }) => events).filter(({ ts }) => ts === undefined).length
  for (let i = 0; i < QUERIES_PER_STREAM; i++) {
    const query = randomQuery(random)
    const script = `${declared}${query.sql(input)};`
    const answer = query.answer(rowsIn)
    const wanted = query.form === 'ordered' ? lines(answer.rows) : lines(answer.rows).sort()
    for (const mode of ['compiled', 'interpreted'] as const) {
      const result = await runQuery({ script, channels, parts, mode })
      const found = query.form === 'ordered' ? got(result, query.form) : got(result, query.form).sort()
      const label = `seed ${seed}, ${mode}: ${script}`
      expect(found, label).toEqual(wanted)
      expect(result.late, `late, ${label}`).toBe(answer.late)
      const lateData = result.lateData.map((cells) => cells.join(' | ')).sort()
      expect(lateData, `late data, ${label}`).toEqual(lines(answer.lateData ?? []).sort())
      expect(result.rowErrors.get('row_null_event_time') ?? 0, label).toBe(nullTimes)
    }
  }
})
