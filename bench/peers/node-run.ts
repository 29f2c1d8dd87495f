import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

// The plain Node pipeline: JSON.parse per line, a Map per window, JSON.stringify out.
const [, , input, output] = process.argv as [string, string, string, string]
const MINUTE = 60_000
interface Group {
  n: number
  latency: number
  latencies: number
  amount: number
}
const windows = new Map<number, Map<string, Group>>()
const out = createWriteStream(output)
const close = (upTo: number): void => {
  for (const [start, groups] of windows) {
    if (start + MINUTE > upTo) continue
    for (const [user, g] of groups) {
      const row = {
        window_start: new Date(start).toISOString(),
        user_id: user,
        n: g.n,
        latency: g.latency / g.latencies,
        amount: g.amount,
      }
      out.write(`${JSON.stringify(row)}\n`)
    }
    windows.delete(start)
  }
}
let largest = 0
for await (const line of createInterface({ input: createReadStream(input, { highWaterMark: 1 << 20 }) })) {
  const record = JSON.parse(line)
  const time: number = record.event_time
  const start = time - (time % MINUTE)
  if (time > largest) {
    largest = time
    close(largest - 2000)
  }
  let groups = windows.get(start)
  if (groups === undefined) {
    groups = new Map()
    windows.set(start, groups)
  }
  let group = groups.get(record.user_id)
  if (group === undefined) {
    group = { n: 0, latency: 0, latencies: 0, amount: 0 }
    groups.set(record.user_id, group)
  }
  group.n++
  if (record.latency !== null && record.latency !== undefined) {
    group.latency += record.latency
    group.latencies++
  }
  if (record.amount !== null && record.amount !== undefined) group.amount += record.amount
}
close(Number.POSITIVE_INFINITY)
await new Promise((resolve) => out.end(resolve))
