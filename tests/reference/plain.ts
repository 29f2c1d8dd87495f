import type { Event } from './streams.ts'

/** A cell as text; `undefined` is NULL. */
export type Cell = string | bigint | number | boolean | undefined

/** A row with the watermark that it is judged against: that of the rows before it. */
export interface Arrival {
  readonly event: Event
  readonly watermark: number
}

export interface Part {
  readonly split: number
  readonly events: readonly Event[]
}

/** Rows in the order of arrival, without those that have no time; the watermark is the least over the splits. */
export function arrivals(
  parts: readonly Part[],
  splits: number,
  watermarkOf: (event: Event) => number | undefined,
): Arrival[] {
  const tops = new Array<number>(splits).fill(Number.NEGATIVE_INFINITY)
  const out: Arrival[] = []
  for (const { split, events } of parts) {
    for (const event of events) {
      if (event.ts === undefined) continue
      out.push({ event, watermark: Math.min(...tops) })
      tops[split] = Math.max(tops[split]!, watermarkOf(event) ?? Number.NEGATIVE_INFINITY)
    }
  }
  return out
}

export interface Grid {
  readonly size: number
  readonly offset: number
  readonly lateness: number
}

export interface Group {
  readonly start: number
  readonly end: number
  readonly key: readonly Cell[]
  readonly events: readonly Event[]
}

/** A row that came after its window had closed. */
export interface Missed {
  readonly event: Event
  readonly watermark: number
  readonly start: number
  readonly end: number
}

/** Tumbling windows: each row goes to the window of its time unless that has closed. */
export function tumble(
  rows: readonly Arrival[],
  grid: Grid,
  keyOf: (event: Event) => readonly Cell[],
): { groups: Group[]; late: number; missed: Missed[] } {
  const missed: Missed[] = []
  const found = new Map<string, { start: number; end: number; key: readonly Cell[]; events: Event[] }>()
  let late = 0
  for (const { event, watermark } of rows) {
    const start = Math.floor((event.ts! - grid.offset) / grid.size) * grid.size + grid.offset
    const end = start + grid.size
    if (watermark >= end + grid.lateness) {
      late++
      missed.push({ event, watermark, start, end })
      continue
    }
    const key = keyOf(event)
    const name = `${start}:${key.map(cellText).join('\u0000')}`
    const group = found.get(name)
    if (group === undefined) found.set(name, { start, end, key, events: [event] })
    else group.events.push(event)
  }
  return { groups: [...found.values()], late, missed }
}

/** Groups without a window, in the order in which their keys first came. */
export function groupBy<T>(
  rows: readonly T[],
  keyOf: (row: T) => readonly Cell[],
): { key: readonly Cell[]; rows: T[] }[] {
  const found = new Map<string, { key: readonly Cell[]; rows: T[] }>()
  for (const row of rows) {
    const key = keyOf(row)
    const name = key.map(cellText).join('\u0000')
    const group = found.get(name)
    if (group === undefined) found.set(name, { key, rows: [row] })
    else group.rows.push(row)
  }
  return [...found.values()]
}

/** ORDER BY the event time: rows below the watermark are late, the others leave in the order of time. */
export function byTime(rows: readonly Arrival[]): { events: Event[]; late: number } {
  const kept = rows.filter(({ event, watermark }) => event.ts! >= watermark)
  const events = kept.map(({ event }) => event).sort((a, b) => a.ts! - b.ts!)
  return { events, late: rows.length - kept.length }
}

export function cellText(cell: Cell): string {
  if (cell === undefined) return 'NULL'
  if (typeof cell === 'string') return `'${cell}'`
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE'
  return String(Object.is(cell, -0) ? 0 : cell)
}

/** Order of texts by code point, of numbers by value; NULL last. */
export function compareCells(a: Cell, b: Cell): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  if (typeof a === 'string' && typeof b === 'string') {
    const [x, y] = [[...a], [...b]]
    for (let i = 0; i < Math.min(x.length, y.length); i++) {
      if (x[i] !== y[i]) return x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!
    }
    return x.length - y.length
  }
  return a < b ? -1 : a > b ? 1 : 0
}
