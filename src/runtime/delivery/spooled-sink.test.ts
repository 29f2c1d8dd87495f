import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Sink } from '../../connectors/contract.ts'
import type { ChangeCode } from '../../core/change.ts'
import { WorkerMemory } from '../../core/memory.ts'
import { BatchBuilder, rowAt } from '../../core/row-batch.ts'
import { schema, types } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { crc32cTwin } from '../../kernels/crc32c.ts'
import { noReplay } from './cycle.ts'
import { SpooledSink } from './spooled-sink.ts'

const columns = schema([
  { name: 'id', type: types.bigint, nullable: true },
  { name: 'text', type: types.string, nullable: true },
])
const checksum = { crc32c: (bytes: Uint8Array) => crc32cTwin(bytes) }
let directory: string
const memory = new WorkerMemory()
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-spool-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A target that can only take whole epochs, and knows which it has. */
class Target {
  readonly rows: (readonly Value[])[] = []
  readonly changes: number[] = []
  readonly blocks: number[] = []
  epoch = 0n
  written = 0

  sink(): Sink {
    return {
      write: async () => {
        this.written++
        return []
      },
      flush: async () => [],
      commit: async (epoch, _token, replay) => {
        if (epoch <= this.epoch) return []
        for await (const batch of replay()) {
          this.blocks.push(batch.rows)
          for (let row = 0; row < batch.rows; row++) {
            const { values, change } = rowAt(batch, row)
            this.rows.push(values)
            this.changes.push(change)
          }
        }
        this.epoch = epoch
        return []
      },
      ledger: async (incarnation) => ({ epoch: this.epoch, incarnation }),
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
}

const spooled = (target: Target, form: { incarnation?: bigint; bytesMax?: number; onHalf?: () => void } = {}) =>
  new SpooledSink(target.sink(), {
    directory,
    part: 'facts',
    incarnation: form.incarnation ?? 1n,
    schema: columns,
    memory,
    checksum,
    bytesMax: form.bytesMax ?? 1 << 20,
    onHalf: form.onHalf ?? (() => undefined),
  })

async function write(
  sink: Sink,
  rows: readonly (readonly [number | null, string | null, ChangeCode?])[],
): Promise<void> {
  using builder = new BatchBuilder(columns, 100, memory)
  for (const [id, text, change] of rows) builder.append([id, text], change)
  await sink.write(builder.finish())
}

const go = { last: false }

test('the target gets nothing before the commit, then the rows in their blocks, nulls and changes too', async () => {
  const target = new Target()
  await using sink = spooled(target)
  await write(sink, [
    [1, 'a'],
    [null, null],
  ])
  await write(sink, [[3, 'é\n', 3]])
  const token = await sink.prepare(1n, go)
  await write(sink, [[4, 'of the next epoch']])
  expect([target.written, target.rows]).toEqual([0, []])
  await sink.commit(1n, token)
  expect(target.rows).toEqual([
    [1, 'a'],
    [null, null],
    [3, 'é\n'],
  ])
  expect([target.blocks, target.changes]).toEqual([
    [2, 1],
    [0, 0, 3],
  ])
})

test('another process commits from the token and removes what no kept epoch names', async () => {
  const target = new Target()
  const first = spooled(target)
  await write(first, [[1, 'a']])
  const token = await first.prepare(1n, go)
  await write(first, [[2, 'lost with its process']])
  await first.prepare(2n, go)
  // It dies here: epoch 1 was stored, epoch 2 was not.
  const second = spooled(target, { incarnation: 2n })
  expect(await second.ledger(2n)).toEqual({ epoch: 0n, incarnation: 2n })
  await second.commit(1n, token)
  await second.commit(1n, token)
  await second.restore(1n, token)
  expect(target.rows).toEqual([[1, 'a']])
  expect(readdirSync(directory)).toEqual(['facts-1-1.spool'])
  await write(second, [[2, 'again']])
  await second.commit(2n, await second.prepare(2n, go))
  await second.commit(3n, await second.prepare(3n, go))
  expect(target.rows).toEqual([
    [1, 'a'],
    [2, 'again'],
  ])
})

test('a spool that lost rows is not committed in silence', async () => {
  const target = new Target()
  const sink = spooled(target)
  for (let id = 0; id < 5; id++) await write(sink, [[id, 'x'.repeat(50)]])
  const token = await sink.prepare(1n, go)
  const [spool] = readdirSync(directory)
  const [segment] = readdirSync(join(directory, spool!))
  truncateSync(join(directory, spool!, segment!), 300)
  await expect(spooled(target, { incarnation: 2n }).commit(1n, token)).rejects.toMatchObject({
    code: 'connector_commit_ambiguous',
    message: expect.stringMatching(/holds \d of 5 batches/),
  })
  expect(target.epoch).toBe(0n)
})

test('an aborted epoch leaves no spool', async () => {
  const sink = spooled(new Target())
  await write(sink, [[1, 'a']])
  await sink.abort(1n, await sink.prepare(1n, go))
  expect(readdirSync(directory)).toEqual([])
})

test('half of the limit asks for a barrier, all of it waits for a commit', async () => {
  const target = new Target()
  let halves = 0
  const sink = spooled(target, { bytesMax: 4000, onHalf: () => halves++ })
  const block = (id: number) => write(sink, [[id, 'x'.repeat(500)]])
  for (let id = 0; id < 3; id++) await block(id)
  expect(halves).toBe(1)
  const token = await sink.prepare(1n, go)
  let taken = false
  const blocked = block(3).then(() => {
    taken = true
  })
  await new Promise(setImmediate)
  expect(taken).toBe(false)
  await sink.commit(1n, token)
  await blocked
  expect([taken, target.rows.length]).toEqual([true, 3])
})

test('a sink that keeps its rows itself asks for no replay', () => {
  expect(() => noReplay()).toThrow('a sink asked for a replay of rows that nobody keeps')
})
