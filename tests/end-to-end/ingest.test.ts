import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { follow } from '../../examples/02-chain-batches/follow.ts'
import { Random } from '../../src/core/random.ts'
import { ChainModel } from '../../src/testkit/chain-model.ts'
import { ChainServer } from '../../src/testkit/chain-server.ts'
import { Ingesting, type Row, rowsOf } from '../chain/ingesting.ts'
import { headrace, type Outcome } from './cli.ts'

const example = join(import.meta.dirname, '../../examples/02-chain-batches')
const TIMEOUT = 60_000

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-ingest-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const call = (...args: string[]): Promise<Outcome> => headrace(['ingest', ...args], { cwd })
const rows = (name = 'out.jsonl'): Row[] => rowsOf(join(cwd, name))

test(
  'a source and a storage of one’s own, as modules',
  async () => {
    const args = ['--datastream', join(example, 'my-source.ts'), '--checkpoint-store', join(example, 'my-storage.ts')]
    const first = await call(...args, '--sink', 'out.jsonl', '--max-batches', '5')
    expect([first.code, first.err]).toEqual([0, expect.stringContaining('batches 5, rollbacks 0, at batch 5')])
    const second = await call(...args, '--sink', 'out.jsonl', '--max-batches', '20')
    expect([second.code, second.err]).toEqual([0, expect.stringContaining('behind batch 5')])
    expect(rows().map((row) => row.batch_number)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1))
    const bad = await call('--datastream', join(example, 'my-storage.ts'))
    expect([bad.code, bad.err]).toEqual([2, expect.stringContaining('exports no source of that interface')])
  },
  TIMEOUT,
)

test(
  'goes on where it stopped; metrics, JSON and the environment; latest needs a position',
  async () => {
    const model = new ChainModel(new Random(1))
    model.grow(12)
    await using server = await ChainServer.start(model)
    const args = ['--datastream', `${server.url}/batches`, '--checkpoint-store', 'at.json', '--sink', 'out.jsonl']
    const none = await call(...args, '--from-checkpoint', 'latest')
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('Checkpoint error: none available')])
    const first = await call(...args, '--max-batches', '7', '--enable-metrics', '--json')
    expect(first.err).toContain(`cdk_datastream_batches_fetched{source="${server.url}"} 7`)
    expect(first.err).toContain(`cdk_datastream_checkpoints_saved{source="${server.url}"} 7`)
    expect(first.err).toContain('{"batches":7,"rollbacks":0,"lastBatch":"7"}')
    await call(...args, '--exit-when-idle', '--from-checkpoint', 'latest')
    expect(rows().map((row) => row.batch_number)).toEqual(model.batches.map(({ id }) => Number(id.number)))
    await call(...args, '--exit-when-idle', '--from-checkpoint', '0xa', '--sink', 'again.jsonl')
    expect(rows('again.jsonl').map((row) => row.batch_number)).toEqual([11, 12])
    const { out } = await headrace(['ingest', '--exit-when-idle', '--log-level', 'error'], {
      cwd,
      env: { CDK_DATASTREAM_URL: server.url, CDK_CHECKPOINT_STORE: 'memory:' },
    })
    expect(out.trim().split('\n').length).toBe(12)
  },
  TIMEOUT,
)

test(
  'a reorganisation takes rows back from a sink that can',
  async () => {
    const model = new ChainModel(new Random(1))
    model.grow(6)
    await using server = await ChainServer.start(model)
    const running = new Ingesting(cwd, [
      '--datastream',
      server.url,
      '--sink',
      `file:${cwd}/out.jsonl?changelog=columns`,
      '--poll-interval',
      '50ms',
    ])
    await running.until(() => rows().length === 6)
    model.reorganise(2, 1)
    await running.until(() => rows().length === 6 + 2 + 3)
    expect((await running.stop()).code).toBe(0)
    expect(rows().map((row) => `${row._op}${row.batch_number}`)).toEqual([
      ...['+I1', '+I2', '+I3', '+I4', '+I5', '+I6'],
      ...['-D6', '-D5', '+I5', '+I6', '+I7'],
    ])
    expect(running.err).toContain('2 batches behind 4 (0x4) were withdrawn and taken back')
  },
  TIMEOUT,
)

test('the example of the guide', async () => {
  const model = new ChainModel(new Random(1))
  model.grow(2)
  await using server = await ChainServer.start(model)
  const lines: string[] = []
  await follow(server.url, join(cwd, 'position.json'), (line) => lines.push(line))
  model.reorganise(1, 1)
  await follow(server.url, join(cwd, 'position.json'), (line) => lines.push(line.replace(/:.*/, '')))
  expect(lines.slice(2)).toEqual(['batches 2…2 were withdrawn', 'batch 2', 'batch 3'])
})
