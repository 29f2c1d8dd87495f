import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { StreamsClient } from '../../../src/client/client.ts'
import { Random } from '../../../src/core/random.ts'

// The service is killed again and again while frames come in and readers follow: what was acknowledged is there, positions
// have no gap and no repeat, and every reader has seen each of them once: node tests/services/streams/kills.ts [kills] [seed]
const [kills = 30, seed = 28] = process.argv.slice(2).map(Number)
const WRITERS = 4
const READERS = ['sse', 'sse', 'poll'] as const
const random = new Random(seed)
const main = join(import.meta.dirname, '../../../src/cli/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'headrace-kills-'))
const port = await freePort()

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  server.close()
  return port
}

async function started(): Promise<ChildProcess> {
  const args = ['serve', '--dev', '--json', '--port', String(port), '--data-dir', folder, '--set', 'log.level=error']
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const _ of createInterface({ input: child.stdout })) return child
  throw new Error('the service ended before it was ready')
}

const client = new StreamsClient({
  baseUrl: `http://127.0.0.1:${port}`,
  retry: { attempts: 1000, initialMs: 20, maxMs: 200 },
})
let child = await started()
const { id } = await client.createStream({ name: 'killed', symbol: 'K', status: 'active' })
const stop = new AbortController()
const seen = READERS.map((): bigint[] => [])
const reading = READERS.map(async (transport, i) => {
  const options = { from: 'earliest', transport, signal: stop.signal } as const
  for await (const frame of client.subscribe(id, options)) seen[i]!.push(frame.position)
})
const acknowledged: bigint[] = []
let next = 1n
let over = false
const writing = Array.from({ length: WRITERS }, async () => {
  while (!over) {
    const sequence = next++
    await client.createFrame(id, { sequence, payload: { sequence: String(sequence) } })
    acknowledged.push(sequence)
  }
})
for (let kill = 0; kill < kills; kill++) {
  await new Promise((resolve) => setTimeout(resolve, random.between(50, 400)))
  child.kill('SIGKILL')
  await once(child, 'exit')
  child = await started()
}
over = true
await Promise.all(writing)
const stored = new Map<bigint, bigint>()
for await (const frame of client.pages((cursor) => client.listFrames(id, { cursor, limit: 500, order: 'asc' }))) {
  stored.set(frame.sequence, frame.position)
}
const last = BigInt(stored.size)
const limit = performance.now() + 30_000
while (seen.some((positions) => positions.at(-1) !== last) && performance.now() < limit) {
  await new Promise((resolve) => setTimeout(resolve, 50))
}
stop.abort()
await Promise.all(reading)
child.kill('SIGTERM')
await once(child, 'exit')
rmSync(folder, { recursive: true })

const lost = acknowledged.filter((sequence) => !stored.has(sequence))
const positions = [...stored.values()].sort((a, b) => (a < b ? -1 : 1))
const odd = positions.filter((position, i) => position !== BigInt(i + 1))
const readers = seen.map(
  (found) =>
    found.filter((position, i) => position !== BigInt(i + 1)).length + Math.abs(found.length - positions.length),
)
process.stdout.write(
  `kills: ${kills} kills, seed ${seed}: ${acknowledged.length} acknowledged, ${lost.length} lost, ${odd.length} positions skipped or ` +
    `used again, ${readers.join(' ')} gaps or repeats seen by ${READERS.join(' ')} readers\n`,
)
process.exitCode = lost.length + odd.length + readers.reduce((sum, count) => sum + count, 0) > 0 ? 1 : 0
