import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freshSeed, Random } from '../../src/core/random.ts'
import { ChainModel } from '../../src/testkit/chain-model.ts'
import { ChainServer } from '../../src/testkit/chain-server.ts'
import { Ingesting, type Row, rowsOf } from './ingesting.ts'

const TIMEOUT = 60_000
/** Kills of the process; HEADRACE_CHAIN_KILLS=30 is the full form. */
const kills = Number(process.env['HEADRACE_CHAIN_KILLS'] ?? 5)

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-kills-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const rows = (): Row[] => rowsOf(join(cwd, 'out.jsonl'))

test(
  `killed ${kills} times while the chain is reorganised: nothing is missing, at most the batch in hand is repeated`,
  async () => {
    const seed = freshSeed()
    console.info(`seed ${seed}`)
    const random = new Random(seed)
    const model = new ChainModel(new Random(seed ^ 1))
    model.grow(5)
    await using server = await ChainServer.start(model)
    const args = [
      '--datastream',
      server.url,
      '--checkpoint-store',
      'at.json',
      '--sink',
      'out.jsonl',
      '--poll-interval',
      '5ms',
    ]
    let repeated = 0
    for (let kill = 0; kill <= kills; kill++) {
      const before = rows().length
      const running = new Ingesting(cwd, args)
      model.grow(random.between(20, 60))
      const wanted = before + random.between(3, 20)
      await running.until(() => rows().length >= wanted)
      if (random.chance(0.5)) model.reorganise(random.between(1, 4), 1)
      if (kill < kills) await running.kill()
      else {
        model.grow(2)
        await running.until(() => rows().at(-1)?.batch_hash === model.newest!.id.hash)
        expect((await running.stop()).code).toBe(0)
      }
      const first = rows()[before]
      if (before > 0 && first?.batch_hash === rows()[before - 1]!.batch_hash) repeated++
    }
    // Of one number the last row counts; a withdrawn number is followed by what took its place.
    const last = new Map(rows().map((row) => [row.batch_number, row.batch_hash]))
    const chain = new Map(model.batches.map(({ id }) => [Number(id.number), id.hash]))
    expect(last).toEqual(chain)
    console.info(`${kills} kills, ${repeated} repeated batches, ${rows().length} rows, ${chain.size} batches`)
  },
  Math.max(TIMEOUT, kills * 10_000),
)
