import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { encodeBatch } from '../../src/chain/chain.ts'
import { freshSeed, Random } from '../../src/core/random.ts'
import { ChainModel } from '../../src/testkit/chain-model.ts'
import { type ChainFault, ChainServer, noFaults } from '../../src/testkit/chain-server.ts'
import { Running } from '../end-to-end/running.ts'

/** HEADRACE_CHAIN_BATCHES=100000 is the full form. */
const batches = Number(process.env['HEADRACE_CHAIN_BATCHES'] ?? 600)

/** Of one wait. */
const LIMIT_MS = Math.max(40_000, batches * 5)

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-chain-sql-'))
})
afterEach(() => rmSync(cwd, { recursive: true }), 300_000)

interface Row {
  readonly _op: string
  readonly batch_number: number
  readonly batch_hash: string
}

/** Rows that stand when every change has been applied; a withdrawal must find its row. */
function folded(): Map<number, string> {
  const rows = new Map<number, string>()
  const names = readdirSync(join(cwd, 'out')).filter((name) => name.endsWith('.jsonl'))
  const epoch = (name: string): number => Number(/-(\d+)-\d+\.jsonl$/.exec(name)![1])
  for (const name of names.sort((a, b) => epoch(a) - epoch(b))) {
    for (const line of readFileSync(join(cwd, 'out', name), 'utf8').split('\n')) {
      if (line === '') continue
      const { _op, batch_number, batch_hash } = JSON.parse(line) as Row
      if (_op === '+I') {
        expect(rows.has(batch_number), `batch ${batch_number} twice`).toBe(false)
        rows.set(batch_number, batch_hash)
      } else {
        expect(rows.get(batch_number), `-D of batch ${batch_number}`).toBe(batch_hash)
        rows.delete(batch_number)
      }
    }
  }
  return rows
}

/** Waits until something is so; the pipeline must go on meanwhile. */
async function until(running: Running, isSo: () => boolean): Promise<void> {
  let over = false
  void running.ended.then(() => {
    over = true
  })
  for (let pauses = 0; !isSo(); pauses++) {
    if (over || pauses * 50 > LIMIT_MS) throw new Error(running.err)
    await pause(50)
  }
}

test(
  `${batches} batches through file → SQL → file, with a reorganisation and a kill in the middle`,
  async () => {
    const seed = freshSeed()
    console.info(`seed ${seed}`)
    const model = new ChainModel(new Random(seed))
    const folder = join(cwd, 'batches')
    mkdirSync(folder)
    mkdirSync(join(cwd, 'out'))
    const put = (from: number): void => {
      for (const batch of model.batches.slice(from)) {
        const path = join(folder, `${batch.id.number}.json`)
        writeFileSync(`${path}.new`, `${encodeBatch(batch)}\n`)
        renameSync(`${path}.new`, path)
      }
    }
    writeFileSync(
      join(cwd, 'blocks.sql'),
      `SET checkpoint.interval = '200ms';
INSERT INTO 'file:out/?format=jsonl&changelog=columns'
SELECT batch_number, batch_hash, block_count, timestamp FROM 'chain+file:batches?poll_interval=20ms';
`,
    )
    model.grow(Math.floor(batches / 2), { least: 1, most: 1 })
    put(0)
    const first = new Running(['run', 'blocks.sql'], { cwd })
    // In the middle of it.
    await until(first, () => folded().size > batches / 8)
    first.kill('SIGKILL')
    await first.ended
    const second = new Running(['run', 'blocks.sql', '--takeover'], { cwd })
    await until(second, () => folded().size === model.batches.length)
    second.kill('SIGKILL')
    await second.ended
    // While nobody looks the newest 700 are replaced; more come later.
    const depth = Math.min(700, Math.floor(batches / 4))
    const from = model.batches.length - depth
    model.reorganise(depth, 1)
    put(from)
    const third = new Running(['run', 'blocks.sql', '--takeover'], { cwd })
    await until(third, () => folded().get(model.batches.length) === model.newest!.id.hash)
    const grown = model.batches.length
    model.grow(batches - grown, { least: 1, most: 1 })
    put(grown)
    await until(third, () => folded().size === batches)
    third.kill('SIGTERM')
    expect((await third.ended).code).toBe(0)
    expect(folded()).toEqual(new Map(model.batches.map(({ id }) => [Number(id.number), id.hash])))
  },
  Math.max(60_000, batches * 10),
)

/**
 * Each at its turn, then none. What HTTP is tried again for is tried again by the source here; after bad data the
 * pipeline goes back to its last checkpoint.
 */
const FAULTS: readonly (ChainFault | undefined)[] = [
  undefined,
  'status',
  'gap',
  undefined,
  'cut',
  'repeat',
  undefined,
  'garbage',
  'wrong_hash',
  undefined,
  'half',
  'empty',
]

test('a pipeline over a server that misbehaves comes to what the server has', async () => {
  const model = new ChainModel(new Random(freshSeed()))
  model.grow(30)
  let at = 0
  await using server = await ChainServer.start(model, {
    ...noFaults,
    next: () => (at < 20 ? FAULTS[at++ % 12] : undefined),
  })
  mkdirSync(join(cwd, 'out'))
  writeFileSync(
    join(cwd, 'chain.sql'),
    `SET checkpoint.interval = '100ms';
INSERT INTO 'file:out/?format=jsonl&changelog=columns'
SELECT batch_number, batch_hash FROM 'chain+http://127.0.0.1:${server.port}?poll_interval=20ms&max_retries=3&retry_delay=20ms';
`,
  )
  const running = new Running(['run', 'chain.sql'], { cwd })
  try {
    for (let round = 1; round <= 4; round++) {
      model.reorganise(3, 2)
      model.grow(5)
      await until(running, () => at >= 5 * round)
    }
    model.reorganise(3, 2)
    await until(running, () => folded().get(model.batches.length) === model.newest!.id.hash)
    expect(folded()).toEqual(new Map(model.batches.map(({ id }) => [Number(id.number), id.hash])))
  } finally {
    running.kill('SIGTERM')
    console.info((await running.ended).err)
  }
}, 60_000)
