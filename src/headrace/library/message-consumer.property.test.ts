import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { freshSeed, Random } from '../../core/random.ts'
import { PipelineBuilder } from '../../processor/pipeline-builder.ts'
import { PassthroughProcessor } from '../../processor/processors/passthrough.ts'
import { StreamConfig } from '../../processor/stream-config.ts'
import { StreamProcessor } from '../../processor/stream-processor.ts'
import { createSource } from './create.ts'
import { toConsumer } from './message-consumer.ts'
import type { DataSource } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'headrace-consumer-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SEED = Number(process.env['HEADRACE_SEED'] ?? freshSeed())
const ROUNDS = Number(process.env['HEADRACE_LIBRARY_ROUNDS'] ?? 3)
const seeds = Array.from({ length: ROUNDS }, (_, i) => SEED + i)

function makeFiles(
  random: Random,
  name: string,
): { readonly source: () => DataSource; readonly ids: readonly number[] } {
  const inside = join(folder, name)
  mkdirSync(inside)
  let id = 0
  for (let file = random.below(3); file >= 0; file--) {
    const lines = Array.from({ length: 1 + random.below(25) }, () => `{"id":${++id}}\n`)
    writeFileSync(join(inside, `${file}.jsonl`), lines.join(''))
  }
  const batchRows = 1 + random.below(9)
  return { source: () => createSource(`${inside}/`, { batchRows }), ids: Array.from({ length: id }, (_, i) => i + 1) }
}

const idOf = (payload: Uint8Array): number =>
  (JSON.parse(Buffer.from(payload).toString()) as { readonly id: number }).id

/** Fails at random; what it took is in `taken`. */
class FlakySink {
  readonly taken: number[] = []
  readonly #random: Random
  readonly #share: number

  constructor(random: Random, share: number) {
    this.#random = random
    this.#share = share
  }

  async send({ payload }: { readonly payload: Uint8Array }): Promise<void> {
    if (this.#random.chance(this.#share)) throw new Error('not now')
    this.taken.push(idOf(payload))
  }
}

async function left(source: DataSource, checkpoint: string): Promise<number[]> {
  const consumer = toConsumer(source, { checkpoint })
  const ids: number[] = []
  for (let next = await consumer.consume(); next !== null; next = await consumer.consume()) {
    ids.push(idOf(next.message.payload))
  }
  await consumer.close?.()
  return ids
}

describe(`no message that failed is passed over (HEADRACE_SEED=${SEED})`, () => {
  test.each(seeds)('seed %i', async (seed) => {
    const random = new Random(seed)
    const { source, ids } = makeFiles(random, `m${seed}`)
    const checkpoint = join(folder, `p${seed}`)
    const processed = new Set<number>()
    for (let run = 0; processed.size < ids.length; run++) {
      expect(run).toBeLessThan(200)
      const sink = new FlakySink(random, run > 20 ? 0 : 0.2)
      const pipeline = new PipelineBuilder().withProcessor(new PassthroughProcessor()).withSink(sink).build()
      const config = new StreamConfig()
        .withMaxConsecutiveFailures(1 + random.below(3))
        .withStatsInterval(null)
        .withBackoff({ initialMs: 1, maxMs: 1, multiplier: 1, jitter: 0 })
      const processor = new StreamProcessor(toConsumer(source(), { checkpoint }), pipeline, config, {
        logger: () => {},
      })
      await processor.run().catch((error: unknown) => expect((error as { kind: string }).kind).toBe('ConsumptionError'))
      for (const id of sink.taken) processed.add(id)
      // What was not processed comes again.
      const coming = new Set(await left(source(), checkpoint))
      expect(ids.filter((id) => !processed.has(id) && !coming.has(id))).toEqual([])
    }
    // Then everything is committed, and a last run finds nothing that was not.
    expect([...processed].sort((a, b) => a - b)).toEqual(ids)
  })
})
