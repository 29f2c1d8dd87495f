import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Click, click, publishedShape } from '../../examples/01-clicks/make-clicks.ts'
import { Random } from '../../src/core/random.ts'

export type ClickForm = 'clicks' | 'clicks-odd' | 'clicks-csv'

const SEED = 1
const CHUNK = 1 << 20

/** The input of a benchmark, made once and kept; returns its path. */
export function clickFile(form: ClickForm, records: number, directory: string): string {
  mkdirSync(directory, { recursive: true })
  const path = join(directory, `${form}-${records}.${form === 'clicks-csv' ? 'csv' : 'jsonl'}`)
  if (existsSync(path)) return path
  const partial = `${path}.partial`
  const file = openSync(partial, 'w')
  const random = new Random(SEED)
  const odd = new Random(SEED + 1)
  const shape = publishedShape(records)
  let chunk = form === 'clicks-csv' ? 'event_time,user_id,url,amount,status,latency,channel\n' : ''
  for (let i = 0; i < records; i++) {
    chunk += lineOf(click(random, i, shape), form, odd)
    if (chunk.length >= CHUNK) {
      writeSync(file, chunk)
      chunk = ''
    }
  }
  writeSync(file, chunk)
  closeSync(file)
  renameSync(partial, path)
  return path
}

function lineOf(record: Click, form: ClickForm, odd: Random): string {
  if (form === 'clicks-csv') return `${Object.values(record).join(',')}\n`
  return `${form === 'clicks' ? JSON.stringify(record) : oddLine(record, odd)}\n`
}

/** A fifth of the records differs: key order, escapes, Unicode, nulls, missing keys, blanks, nesting, exponents. */
function oddLine(record: Click, random: Random): string {
  const kind = random.below(100)
  const { event_time, user_id, url, amount, status, latency, channel } = record
  if (kind < 80) return JSON.stringify(record)
  if (kind < 85) return JSON.stringify({ user_id, event_time, amount, url, latency, status, channel })
  if (kind < 88) return JSON.stringify({ ...record, url: `${url}?q="a\\b"\n` })
  if (kind < 90) return JSON.stringify(record).replace('"user_id":"u', '"user_id":"\\u0075')
  if (kind < 92) return JSON.stringify({ ...record, user_id: `ü${user_id.slice(1)}😀`, channel: '日本' })
  if (kind < 94) return JSON.stringify({ ...record, amount: null, latency: null })
  if (kind < 96) return JSON.stringify({ event_time, user_id, url, status, channel })
  if (kind < 98) return JSON.stringify(record, null, 1).replaceAll('\n', '')
  if (kind < 99)
    return JSON.stringify({
      event_time,
      user_id,
      meta: { a: [1, 2, { b: 'x}"]' }], amount: 77 },
      url,
      amount,
      status,
      latency,
      channel,
    })
  return JSON.stringify(record).replace(/"amount":[^,]*/, `"amount":${(amount + 0.1).toExponential()}`)
}
