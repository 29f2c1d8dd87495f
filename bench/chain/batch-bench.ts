import { Batch, type BlockInBatch, decodeBatch, encodeBatch } from '../../src/chain/chain.ts'
import { Random } from '../../src/core/random.ts'
import type { Bench, BenchRun } from '../lib/bench.ts'
import { median, percentile } from '../lib/pairs.ts'

const BATCHES = 3000
const PAIRS = 15
const SEED = 11
/** Of batches as servers write them, and of batches with other white space and numbers. */
const BARS = { canonical: 3, other: 1.5 } as const

const hex = (random: Random, bytes: number): string => {
  let text = '0x'
  for (let i = 0; i < bytes; i += 4) text += random.uint32().toString(16).padStart(8, '0')
  return text.slice(0, 2 + 2 * bytes)
}

/** 0 to 60 blocks, proofs of 0 to 400 bytes, numbers of any size: drawn from the seed. */
function batch(random: Random, number: number): Batch {
  const blocks = Array.from(
    { length: random.chance(0.1) ? 0 : random.between(1, 60) },
    (_, i): BlockInBatch => ({
      batchIndex: i,
      hash: hex(random, 32),
      parentHash: hex(random, 32),
      stateRoot: hex(random, 32),
      txRoot: hex(random, 32),
      receiptRoot: hex(random, 32),
      number: BigInt(10_000_000 + 60 * number + i),
      timestamp: BigInt(1_733_047_200 + number),
    }),
  )
  const proof = Buffer.from(hex(random, 4 * random.below(100)).slice(2), 'hex')
  return new Batch({
    id: { number: random.chance(0.05) ? BigInt(hex(random, 32)) : BigInt(number), hash: hex(random, 32) },
    l1Origin: BigInt(19_000_000 + number),
    l1OriginHash: hex(random, 32),
    blocks,
    proofMeta: { dataProof: proof, namespaceId: hex(random, 8), commitment: hex(random, 32), inclusionProof: proof },
    timestamp: BigInt(1_733_047_200 + number),
  })
}

/** The same value as another writer puts it. */
const otherwise = (text: string): string =>
  text
    .replaceAll('":', '": ')
    .replace(/"(0x[0-9a-f]{1,12})"/g, (whole, number: string) =>
      number.length % 2 === 0 ? whole : `"${BigInt(number)}"`,
    )

const QUANTITIES = new Set(['number', 'l1_origin'])

/** Without loss as ours, and without a check: the best that the built-in parser offers. */
function reviver(key: string, value: unknown, { source }: { readonly source: string }): unknown {
  if (typeof value === 'number') return key === 'batch_index' ? value : BigInt(source)
  return QUANTITIES.has(key) ? BigInt(value as string) : value
}

interface Parsed {
  readonly id: { readonly number: bigint; readonly hash: string }
  readonly l1_origin: bigint
  readonly blocks: readonly { readonly number: bigint; readonly timestamp: bigint; readonly receipt_root: string }[]
  readonly timestamp: bigint
}

const peerDecode = (text: string): Parsed =>
  JSON.parse(text, reviver as (this: unknown, key: string, value: unknown) => unknown) as Parsed

/** Something of every part is looked at, so that nothing may be left undone. */
function ours(texts: readonly string[]): number {
  let sum = 0
  for (const text of texts) {
    const { id, blocks, timestamp } = decodeBatch(text)
    sum += id.hash.charCodeAt(9) + Number(timestamp)
    for (const block of blocks) sum += block.receiptRoot.charCodeAt(65) + Number(block.number)
  }
  return sum
}

function theirs(texts: readonly string[]): number {
  let sum = 0
  for (const text of texts) {
    const { id, blocks, timestamp } = peerDecode(text)
    sum += id.hash.charCodeAt(9) + Number(timestamp)
    for (const block of blocks) sum += block.receipt_root.charCodeAt(65) + Number(block.number)
  }
  return sum
}

/** Every value of both, before anything is timed. */
function compare(texts: readonly string[]): void {
  for (const text of texts) {
    const { id, l1Origin, blocks, timestamp } = decodeBatch(text)
    const peer = peerDecode(text)
    const own = [
      id.number,
      id.hash,
      l1Origin,
      timestamp,
      ...blocks.flatMap((b) => [b.number, b.timestamp, b.receiptRoot]),
    ]
    const other = [
      ...[peer.id.number, peer.id.hash, peer.l1_origin, peer.timestamp],
      ...peer.blocks.flatMap((b) => [b.number, b.timestamp, b.receipt_root]),
    ]
    if (own.join() !== other.join()) throw new Error(`the decoders disagree on ${text}`)
  }
}

interface Timed {
  readonly seconds: number
  readonly wall: number
  readonly sum: number
}

function timed(task: (texts: readonly string[]) => number, texts: readonly string[]): Timed {
  const start = process.hrtime.bigint()
  const before = process.cpuUsage()
  const sum = task(texts)
  const { user, system } = process.cpuUsage(before)
  return { seconds: (user + system) / 1e6, wall: Number(process.hrtime.bigint() - start) / 1e9, sum }
}

/** `decodeBatch` against `JSON.parse` with a BigInt reviver, on the same texts; new ones each round. */
export const batchBench: Bench = {
  name: 'chain-batch',
  run(run: BenchRun): boolean {
    const random = new Random(SEED)
    let passed = true
    for (const form of ['canonical', 'other'] as const) {
      const cpu: number[] = []
      const wall: number[] = []
      for (let pair = -2; pair < (run.pairs ?? PAIRS); pair++) {
        const plain = Array.from({ length: run.records ?? BATCHES }, (_, i) => encodeBatch(batch(random, i + 1)))
        const written = form === 'canonical' ? plain : plain.map(otherwise)
        // As they come from a socket: a text that was put together would be joined by whoever reads it first.
        const texts = written.map((text) => Buffer.from(text).toString('utf8'))
        if (pair < 0) compare(texts)
        const [first, second] = pair % 2 === 0 ? ([ours, theirs] as const) : ([theirs, ours] as const)
        const a = timed(first, texts)
        const b = timed(second, texts)
        if (a.sum !== b.sum) throw new Error(`the decoders disagree: ${a.sum} and ${b.sum}`)
        if (pair < 0) continue
        const [own, peer] = pair % 2 === 0 ? [a, b] : [b, a]
        cpu.push(peer.seconds / own.seconds)
        wall.push(peer.wall / own.wall)
      }
      const bar = BARS[form]
      const low = percentile(cpu, 0.2)
      process.stdout.write(
        `JSON.parse with a BigInt reviver ÷ decodeBatch, ${form} form: CPU median ${median(cpu).toFixed(2)}, ` +
          `p20 ${low.toFixed(2)} (bar ${bar}); wall median ${median(wall).toFixed(2)}; in process, seed ${SEED}\n`,
      )
      passed &&= low >= bar
    }
    return passed || !run.check
  },
}
