import { cpus, loadavg } from 'node:os'
import type { Bench } from '../lib/bench.ts'
import { median } from '../lib/pairs.ts'
import { LiveLoad } from './live-load.ts'
import { loaded, Served } from './processes.ts'

const BODY =
  '{"latency_ms":45,"payload":{"price":1850.5,"size":3,"side":"buy","venue":"north","note":"a frame of some 200 bytes, as sensors and exchanges send them every second of the day"}}'
const SECONDS = 3
const PAIRS = 3
const NDJSON_LINES = 200_000
const READERS = 200
const EVENTS = 500
const IDLE_READERS = 1000

/** Bars of the issue: at least this share of a bare handler; NDJSON in frames against single requests. */
const BARS = { post: 0.4, latest: 0.5, ndjson: 8, sse: 0.5 } as const

interface Ratio {
  readonly name: keyof typeof BARS
  readonly ours: number
  readonly peer: number
}

/**
 * The data-streams service against bare fastify handlers on the same machine, in turn: single durable posts, the latest
 * frame, NDJSON against single posts, events to 200 readers. Then what a thousand idle readers and an idle process take.
 */
export const serviceBench: Bench = {
  name: 'service',
  async run({ check, pairs = PAIRS, records = NDJSON_LINES }): Promise<boolean> {
    await using ours = await Served.ours()
    await using bare = await Served.bare()
    const idle = ours.memory()
    const stream = await created(ours.url)
    const ratios: Ratio[] = []
    const post: number[] = []
    for (let i = 0; i < pairs; i++) {
      const mine = await loaded(`${ours.url}/streams/${stream}/frames`, { seconds: SECONDS, body: BODY })
      post.push(mine)
      ratios.push({
        name: 'post',
        ours: mine,
        peer: await loaded(`${bare.url}/frames`, { seconds: SECONDS, body: BODY }),
      })
      ratios.push({
        name: 'latest',
        ours: await loaded(`${ours.url}/streams/${stream}/latest`, { seconds: SECONDS }),
        peer: await loaded(`${bare.url}/latest`, { seconds: SECONDS }),
      })
      ratios.push({ name: 'ndjson', ours: await framesPerSecond(ours.url, records), peer: median(post) })
      ratios.push(await eventsPerSecond(ours.url, bare.url))
    }
    const perReader = await idleReader(ours)
    const passed = (Object.keys(BARS) as (keyof typeof BARS)[]).map((name) => report(name, ratios))
    process.stdout.write(
      `idle: process ${mebibytes(idle)} MiB (bar 100), a live reader ${(perReader / 1024).toFixed(1)} KiB (bar 64)\n` +
        `machine: ${cpus().length} × ${cpus()[0]?.model ?? '?'}, node ${process.version}, load ${loadavg()[0]!.toFixed(1)}\n`,
    )
    return !check || (passed.every(Boolean) && idle <= 100 * 1024 * 1024 && perReader <= 64 * 1024)
  },
}

function report(name: keyof typeof BARS, all: readonly Ratio[]): boolean {
  const runs = all.filter((ratio) => ratio.name === name)
  const ratio = median(runs.map(({ ours, peer }) => ours / peer))
  const rate = (side: 'ours' | 'peer'): string => Math.round(median(runs.map((run) => run[side]))).toLocaleString('en')
  process.stdout.write(
    `${name}: ${ratio.toFixed(2)}× (bar ${BARS[name]}): ${rate('ours')}/s against ${rate('peer')}/s\n`,
  )
  return ratio >= BARS[name]
}

const mebibytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(0)

async function created(url: string): Promise<string> {
  const body = JSON.stringify({ name: 'bench', symbol: 'BENCH' })
  const answer = await fetch(`${url}/streams`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  return ((await answer.json()) as { readonly id: string }).id
}

async function framesPerSecond(url: string, lines: number): Promise<number> {
  const stream = await created(url)
  const block = Buffer.from(`${BODY}\n`.repeat(1000))
  let left = lines / 1000
  const body = new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(block)
      else controller.close()
    },
  })
  const from = performance.now()
  const answer = await fetch(`${url}/streams/${stream}/frames`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
    duplex: 'half',
  } as RequestInit)
  const text = await answer.text()
  const seconds = (performance.now() - from) / 1000
  const summary = JSON.stringify({ summary: { created: lines, duplicate: 0, failed: 0 } })
  if (!text.trimEnd().endsWith(summary)) throw new Error(`not all of ${lines} lines were stored: ${text.slice(-200)}`)
  return lines / seconds
}

/** Both sides write the same events to the same number of sockets. */
async function eventsPerSecond(ours: string, bare: string): Promise<Ratio> {
  const stream = await created(ours)
  const post = (url: string, body: string, type: string) =>
    fetch(url, { method: 'POST', headers: { 'content-type': type }, body })
  const mine = await timed(ours, `/streams/${stream}/subscribe`, async () => {
    await post(`${ours}/streams/${stream}/frames`, `${BODY}\n`.repeat(EVENTS), 'application/x-ndjson')
  })
  const latest = await (await fetch(`${ours}/streams/${stream}/latest`)).text()
  const text = `id: c1.AAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA\nevent: frame\ndata: ${latest}\n\n`
  const theirs = await timed(bare, '/events', async () => {
    await post(`${bare}/emit`, JSON.stringify({ count: EVENTS, text }), 'application/json')
  })
  return { name: 'sse', ours: mine, peer: theirs }
}

async function timed(url: string, path: string, emit: () => Promise<void>): Promise<number> {
  const load = new LiveLoad()
  await load.open(url, path, READERS)
  const all = load.until(load.events + READERS * EVENTS)
  const from = performance.now()
  await emit()
  await all
  const seconds = (performance.now() - from) / 1000
  load.close()
  return (READERS * EVENTS) / seconds
}

async function idleReader(ours: Served): Promise<number> {
  const stream = await created(ours.url)
  const before = ours.memory()
  const load = new LiveLoad()
  await load.open(ours.url, `/streams/${stream}/subscribe`, IDLE_READERS)
  const after = ours.memory()
  load.close()
  return Math.max(0, after - before) / IDLE_READERS
}
