import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inParallel } from '../../../src/core/in-parallel.ts'
import { freshSeed, Random } from '../../../src/core/random.ts'
import { larger } from '../../../src/datastreams/bigints.ts'
import { EmbeddedStore } from '../../../src/datastreams/embedded/embedded-store.ts'
import { crc32cTwin } from '../../../src/kernels/crc32c.ts'
import { sampleAppend } from '../../../src/testkit/streams-store-contract.ts'
import { CALLS, type Call, needsStrace, readCalls } from '../calls/strace.ts'
import { onLines } from '../lines.ts'

const checksum = { crc32c: (bytes: Uint8Array): number => crc32cTwin(bytes) }
const storeProcess = join(import.meta.dirname, 'store-process.ts')
const ingestProcess = join(import.meta.dirname, 'ingest-process.ts')
const listPath = join(import.meta.dirname, 'points.txt')
/** One thread makes the calls that do not block the main one: their order is that of every run. */
const env = { ...process.env, UV_THREADPOOL_SIZE: '1' }

interface Point {
  readonly name: string
  readonly path: string
  readonly nth: number
}

/** Runs the scripted process under strace. */
function run(
  folder: string,
  trace: readonly string[],
): { readonly lines: readonly string[]; readonly status: number | null } {
  const { stdout, status } = spawnSync('strace', ['-f', '-qq', ...trace, process.execPath, storeProcess, folder], {
    encoding: 'utf8',
    env,
  })
  return { lines: stdout.trim().split('\n'), status }
}

/** The calls by which something on disk can change, in their order: the file that each one names, below the folder. */
function pointsOf(calls: readonly Call[], folder: string): Point[] {
  const counts = new Map<string, number>()
  return calls.flatMap(({ name, text }) => {
    const paths = [...text.matchAll(/"([^"]*)"|<([^<>]*)>/g)].map((match) => match[1] ?? match[2]!)
    const path = paths.find((one) => one === folder || one.startsWith(`${folder}/`))
    if (path === undefined) return []
    const key = `${name} ${path}`
    const nth = (counts.get(key) ?? 0) + 1
    counts.set(key, nth)
    return [{ name, path: path === folder ? '.' : path.slice(folder.length + 1), nth }]
  })
}

const lineOf = ({ name, path, nth }: Point): string => `${name} ${path} ${nth}`

interface Acked {
  readonly sequence: bigint
  readonly position: bigint
}

const acked = (lines: readonly string[]): Acked[] =>
  lines.flatMap((line) => {
    const match = /^ack (\d+) (\d+)$/.exec(line)
    return match === null ? [] : [{ sequence: BigInt(match[1]!), position: BigInt(match[2]!) }]
  })

/** What the folder holds agrees with what was acknowledged; the next frame gets the next position. */
async function check(folder: string, lines: readonly string[], what: string): Promise<void> {
  const id = lines.find((line) => line.startsWith('stream '))?.slice('stream '.length)
  const store = new EmbeddedStore({ directory: folder, checksum })
  await store.migrate()
  if (id === undefined) return await store.close()
  const extent = await store.extent(id)
  const { lastPosition = 0n, cutPosition = 0n } = extent ?? {}
  if (lines.includes('cut 5')) expect(cutPosition, what).toBe(5n)
  if (!lines.includes('cutting')) expect(cutPosition, what).toBe(0n)
  const frames = await store.listFrames({ streamId: id, by: 'position', order: 'asc', limit: 500 })
  const kept = frames.filter(({ position }) => position > cutPosition)
  expect(
    kept.map(({ position }) => position),
    what,
  ).toEqual(Array.from({ length: Number(lastPosition - cutPosition) }, (_, i) => cutPosition + BigInt(i + 1)))
  // Whole groups, and the stream was activated with the first of them.
  expect(lastPosition % 3n, what).toBe(0n)
  expect((await store.getStream(id))?.status, what).toBe(lastPosition > 0n ? 'active' : 'inactive')
  for (const { sequence, position } of acked(lines)) {
    expect(position <= lastPosition, `${what}: ${position} was acknowledged, ${lastPosition} is the last`).toBe(true)
    if (position <= cutPosition) continue
    const frame = await store.getFrame(id, sequence)
    expect([frame?.position, JSON.parse(frame?.payload ?? '{}').sequence], what).toEqual([position, String(sequence)])
  }
  const [[next]] = (await store.append([sampleAppend(id, [1000n])], 0)) as [[{ kind: string; frame: Acked }]]
  expect(next.frame.position, what).toBe(lastPosition + 1n)
  await store.close()
}

test('killed before any system call of a store’s life, it has what was acknowledged', async () => {
  needsStrace()
  const root = mkdtempSync(join(tmpdir(), 'headrace-streams-kill-'))
  try {
    const whole = join(root, 'whole')
    const out = join(root, 'trace')
    const { lines, status } = run(whole, ['-ttt', '-y', '-s', '200', '-o', out, '-e', `trace=${CALLS.join(',')}`])
    expect([status, lines.at(-1)]).toEqual([0, 'done'])
    await check(whole, lines, 'not killed')
    // With -f each line begins with the thread.
    const text = readFileSync(out, 'utf8').replaceAll(/^\d+ +/gm, '')
    writeFileSync(out, text)
    const points = pointsOf(readCalls(out).calls, whole)
    const list = [...new Set(points.map(lineOf))]
    if (process.env['HEADRACE_SAVE_POINTS'] !== undefined) {
      const head =
        '# System calls on the files of a store. Written by: HEADRACE_SAVE_POINTS=1 vitest run --config vitest.crash.config.ts tests/crash/streams'
      writeFileSync(listPath, `${head}\n${list.join('\n')}\n`)
    }
    const saved = readFileSync(listPath, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(list.toSorted()).toEqual(saved.toSorted())
    const missed: string[] = []
    await inParallel(points, 2, async (point) => {
      const folder = mkdtempSync(join(root, 'k'))
      const place = join(folder, 'streams')
      const path = point.path === '.' ? place : join(place, point.path)
      const died = await killed(place, { ...point, path })
      if (died.lines.at(-1) === 'done') missed.push(lineOf(point))
      await check(place, died.lines, lineOf(point))
      rmSync(folder, { recursive: true })
    })
    console.info(`${points.length} points, ${missed.length} not hit: ${missed.join(', ')}`)
    expect(missed).toEqual([])
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}, 900_000)

async function killed(folder: string, { name, path, nth }: Point): Promise<{ readonly lines: string[] }> {
  const inject = ['-P', path, '-e', `trace=${name}`, '-e', `inject=${name}:signal=KILL:when=${nth}`]
  const child = spawn('strace', ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, storeProcess, folder], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const lines: string[] = []
  onLines(child.stdout, (line) => lines.push(line))
  await new Promise((resolve) => child.on('close', resolve))
  return { lines }
}

test('killed thirty times under ingest: nothing acknowledged is lost, no position is skipped or used twice', async () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const folder = mkdtempSync(join(tmpdir(), 'headrace-streams-ingest-'))
  const positions = new Map<bigint, bigint>()
  let next = 1n
  let read = 0n
  const readSequences = new Map<bigint, bigint>()
  const faults: string[] = []
  try {
    for (let kill = 0; kill < 30; kill++) {
      const child = spawn(process.execPath, [ingestProcess, folder, String(next), String(read)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let wanted = random.between(1, 1500)
      onLines(child.stdout, (line) => {
        const [kind, a, b] = line.split(' ')
        if (kind === 'ack') {
          positions.set(BigInt(a!), BigInt(b!))
          if (--wanted === 0) child.kill('SIGKILL')
        } else if (kind === 'read') {
          if (BigInt(a!) !== read + 1n) faults.push(`read ${a} behind ${read}`)
          read = BigInt(a!)
          readSequences.set(read, BigInt(b!))
        }
      })
      await new Promise((resolve) => child.on('close', resolve))
      // Frames that were sent and not acknowledged may be there: new ones have new numbers.
      next = [...positions.keys()].reduce(larger, next) + 100n
    }
    const store = new EmbeddedStore({ directory: folder, checksum })
    await store.migrate()
    const { id } = (await store.listStreams({ accountId: 'a', limit: 1 }))[0]!
    const { lastPosition, frames, cutPosition } = (await store.extent(id))!
    expect([frames, cutPosition]).toEqual([lastPosition, 0n])
    const stored = new Map<bigint, bigint>()
    for (let after = 0n; after < lastPosition; ) {
      const page = await store.readFrames(id, { after, upTo: lastPosition, limit: 1000 })
      for (const { position, sequence } of page) {
        if (position !== ++after) faults.push(`position ${position} follows ${after - 1n}`)
        if (stored.has(sequence)) faults.push(`sequence ${sequence} is there twice`)
        stored.set(sequence, position)
        const seen = readSequences.get(position)
        if (seen !== undefined && seen !== sequence) faults.push(`position ${position} was read as ${seen}`)
      }
    }
    for (const [sequence, position] of positions) {
      if (stored.get(sequence) !== position) faults.push(`${sequence} was acknowledged at ${position}`)
    }
    await store.close()
    console.info(`${positions.size} acknowledged of ${stored.size} stored, ${read} read live, 30 kills, seed ${seed}`)
    expect(faults, `seed ${seed}`).toEqual([])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 300_000)
