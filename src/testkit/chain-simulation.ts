import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BaseBatchSource } from '../chain/base-source.ts'
import { type CheckpointStorage, MemoryCheckpointStorage } from '../chain/checkpoint-storage.ts'
import { FileCheckpointStorage } from '../chain/file-storage.ts'
import type { Rollback } from '../chain/follower.ts'
import { HttpBatchSource } from '../chain/http-source.ts'
import { runIngest } from '../chain/run-ingest.ts'
import type { Batch, Checkpoint } from '../chain/types.ts'
import { WebSocketBatchSource } from '../chain/websocket-source.ts'
import type { Clock } from '../core/clock.ts'
import { Random } from '../core/random.ts'
import { ChainModel, followsHashRule } from './chain-model.ts'
import { type ChainFault, ChainServer } from './chain-server.ts'

/** How often each thing happened. */
export type Tally = Map<string, number>

export const count = (tally: Tally, what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1)

/** Of time limits and pings: they pass only when something stalls. */
const DEADLINE_MS = 7_000_003
/** Of waits for a frame. */
const FRAME_MS = 5_003

const HTTP_FAULTS: readonly ChainFault[] = [
  'status',
  'stall',
  'cut',
  'oversized',
  'garbage',
  'gap',
  'repeat',
  'wrong_hash',
  'half',
  'empty',
]
const SOCKET_FAULTS: readonly ChainFault[] = ['stall', 'cut', 'garbage', 'gap', 'repeat', 'wrong_hash', 'cut_frame']

const turns = async (most: number, isOver: () => boolean = () => false): Promise<void> => {
  for (let i = 0; i < most && !isOver(); i++) await new Promise(setImmediate)
}

/** Time passes at once; every pause of the reader is a step of the world. */
class SimulatedClock implements Clock {
  #micros = 1_767_225_600_000_000
  #deadlines = new Set<() => void>()
  readonly #step: () => Promise<void>

  constructor(step: () => Promise<void>) {
    this.#step = step
  }

  nowMicros(): number {
    return this.#micros
  }

  elapsedMs(): number {
    return this.#micros / 1000
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal?.aborted === true
    if (isOver()) return
    if (ms === FRAME_MS) return await turns(12, isOver)
    if (ms === DEADLINE_MS) {
      await new Promise<void>((resolve) => {
        this.#deadlines.add(resolve)
        signal?.addEventListener('abort', () => resolve(), { once: true })
      })
      return
    }
    this.#micros += Math.round(ms * 1000)
    await this.#step()
    await turns(1)
  }

  /** Twice: the first silence is pinged, the second ends the connection. */
  async passDeadlines(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await turns(4)
      const due = [...this.#deadlines]
      this.#deadlines.clear()
      for (const resolve of due) resolve()
    }
  }
}

class Killed extends Error {}

/** What the reader has durably made of the batches. */
class Book {
  batches: Batch[] = []

  take(batch: Batch): void {
    this.rollBack(batch.id.number - 1n)
    const newest = this.batches.at(-1)
    if (newest !== undefined && newest.id.number + 1n !== batch.id.number) {
      throw new Error(`batch ${batch.id.number} was handed over behind ${newest.id.number}`)
    }
    this.batches.push(batch)
  }

  rollBack(to: bigint): void {
    while (this.batches.length > 0 && this.batches.at(-1)!.id.number > to) this.batches.pop()
  }

  has({ lastBatchId, lastBatchHash }: Checkpoint): boolean {
    const at = this.batches.findLast(({ id }) => id.number === lastBatchId)
    return at?.id.hash === lastBatchHash
  }
}

export interface SimulationOptions {
  readonly steps: number
  readonly tally: Tally
  /** A bug put in on purpose, to see that it is found. */
  readonly planted?: 'checkpoint before the handler' | 'no rollback' | undefined
}

/** One seed: a server that misbehaves, a reader that is killed; at the end the reader's chain is the server's. */
export async function simulate(seed: number, options: SimulationOptions): Promise<void> {
  await using world = await World.start(seed, options)
  await world.run()
}

class World implements AsyncDisposable {
  readonly #random: Random
  readonly #options: SimulationOptions
  readonly #chain: ChainModel
  readonly #book = new Book()
  readonly #clock: SimulatedClock
  readonly #kind: 'http' | 'ws' | 'ws+http'
  readonly #verifies: boolean
  readonly #directory: string | undefined
  readonly #memory = new MemoryCheckpointStorage()
  #server!: ChainServer
  #steps = 0
  #calm = false

  private constructor(seed: number, options: SimulationOptions) {
    this.#random = new Random(seed)
    this.#options = options
    this.#kind = (['http', 'http', 'ws', 'ws+http'] as const)[seed % 4]!
    this.#verifies = this.#random.chance(0.7)
    this.#chain = new ChainModel(new Random(seed ^ 0x5bd1e995))
    this.#chain.grow(this.#random.chance(0.4) ? 160 : this.#random.between(2, 30))
    this.#clock = new SimulatedClock(() => this.#step())
    this.#directory = seed % 8 === 0 ? mkdtempSync(join(tmpdir(), 'headrace-chain-')) : undefined
  }

  static async start(seed: number, options: SimulationOptions): Promise<World> {
    const world = new World(seed, options)
    world.#server = await ChainServer.start(world.#chain, {
      next: () => world.#fault(),
      below: (bound) => world.#random.below(bound),
      stalled: () => void world.#clock.passDeadlines(),
      liesOfBatches: world.#verifies,
    })
    return world
  }

  #fault(): ChainFault | undefined {
    // The very first batch has none before it that could show what is wrong.
    if (this.#calm || this.#book.batches.length === 0 || !this.#random.chance(0.3)) return undefined
    const fault = this.#random.pick(this.#kind === 'http' ? HTTP_FAULTS : [...SOCKET_FAULTS, ...SOCKET_FAULTS])
    count(this.#options.tally, `fault ${fault}${fault === 'stall' && this.#kind !== 'http' ? ' (socket)' : ''}`)
    return fault
  }

  /** The world goes on while the reader works or waits. */
  async #step(): Promise<void> {
    this.#steps++
    const random = this.#random
    if (this.#steps >= this.#options.steps) {
      if (!this.#calm) this.#chain.grow(2)
      this.#calm = true
    } else if (random.chance(0.05)) this.#reorganise()
    else if (random.chance(0.5)) this.#chain.grow(random.between(1, 4))
    this.#server.push()
    await turns(1)
  }

  #reorganise(): void {
    const { length } = this.#chain.batches
    const behind = length - this.#book.batches.length
    const depth = this.#random.pick([1, this.#random.between(2, 10), 101 + this.#random.below(50)])
    // What the reader has not read cannot be withdrawn from it.
    if (depth + behind >= length - 1) return
    this.#chain.reorganise(depth + behind, this.#random.between(1, 3))
    count(this.#options.tally, 'reorganisations of the server')
  }

  async run(): Promise<void> {
    for (let starts = 0; ; starts++) {
      if (starts > 10 * this.#options.steps) throw new Error('the reader does not come to the end')
      const stop = new AbortController()
      const source = this.#source()
      try {
        await runIngest(source, (batch) => this.#handle(batch, stop), {
          storage: this.#storage(),
          clock: this.#clock,
          random: this.#random,
          signal: stop.signal,
          onRollback: (rollback) => this.#rolledBack(rollback),
          onError: (error) => this.#failed(error, stop),
        })
        break
      } catch (error) {
        if (!(error instanceof Killed || (error as Error).cause instanceof Killed)) throw error
        count(this.#options.tally, 'kills')
      } finally {
        await source.close()
      }
    }
    this.#compare()
  }

  #source(): BaseBatchSource {
    const common = {
      clock: this.#clock,
      random: this.#random,
      timeout: DEADLINE_MS,
      retryDelay: 100,
      maxRetries: 2,
      verifyBatchHash: this.#verifies ? followsHashRule : undefined,
      ackMode: this.#random.chance(0.5) ? ('explicit' as const) : ('implicit' as const),
    }
    if (this.#kind === 'http') {
      return new HttpBatchSource({ ...common, baseUrl: this.#server.url, maxResponseBytes: 250_000 })
    }
    return new WebSocketBatchSource({
      ...common,
      url: this.#server.webSocketUrl,
      httpUrl: this.#kind === 'ws+http' ? this.#server.url : undefined,
      pollInterval: FRAME_MS,
      pingAfter: DEADLINE_MS,
    })
  }

  /** Looks at every checkpoint: it must name a batch that was handled. */
  #storage(): CheckpointStorage {
    const inner =
      this.#directory === undefined ? this.#memory : new FileCheckpointStorage(join(this.#directory, 'c.json'))
    return {
      saveCheckpoint: async (checkpoint) => {
        if (!this.#book.has(checkpoint))
          throw new Unhandled(`checkpoint ${checkpoint.lastBatchId} names no handled batch`)
        await inner.saveCheckpoint(checkpoint)
        this.#maybeKill('behind a checkpoint')
      },
      loadCheckpoint: () => inner.loadCheckpoint(),
      deleteCheckpoint: () => inner.deleteCheckpoint(),
      history: (limit) => inner.history(limit),
    }
  }

  async #handle(batch: Batch, stop: AbortController): Promise<void> {
    await this.#step()
    this.#maybeKill('before a batch is handled')
    if (this.#options.planted === 'checkpoint before the handler') {
      const { number, hash } = batch.id
      await this.#storage().saveCheckpoint({ lastBatchId: number, lastBatchHash: hash } as Checkpoint)
    }
    this.#book.take(batch)
    count(this.#options.tally, 'batches handled')
    this.#maybeKill('behind a batch')
    if (this.#calm && batch.id.number === this.#chain.newest?.id.number) stop.abort()
  }

  #rolledBack({ to, depth }: Rollback): void {
    this.#maybeKill('before a rollback')
    if (this.#options.planted !== 'no rollback') this.#book.rollBack(to.number)
    const class_ = depth === 1n ? '1' : depth <= 10n ? '2–10' : depth <= 100n ? '11–100' : 'over 100'
    count(this.#options.tally, `rollbacks of depth ${class_}`)
    this.#maybeKill('behind a rollback')
  }

  #maybeKill(_where: string): void {
    if (!this.#calm && this.#random.chance(0.01)) throw new Killed()
  }

  #failed(error: Error & { readonly kind?: string }, stop: AbortController): boolean {
    if (error.cause instanceof Killed) return true
    if (error.cause instanceof Unhandled || error.kind === 'InternalError') throw error
    count(this.#options.tally, `error ${error.kind}`)
    if (this.#calm && this.#steps > 4 * this.#options.steps + 2000) {
      stop.abort()
      throw error
    }
    return false
  }

  #compare(): void {
    const ours = this.#book.batches.map(({ id }) => `${id.number} ${id.hash}`)
    const theirs = this.#chain.batches.map(({ id }) => `${id.number} ${id.hash}`)
    if (ours.length !== theirs.length) throw new Error(`the reader has ${ours.length} batches, not ${theirs.length}`)
    const odd = ours.findIndex((text, i) => text !== theirs[i])
    if (odd >= 0) throw new Error(`the reader has ${ours[odd]}, the server ${theirs[odd]}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#calm = true
    await this.#server[Symbol.asyncDispose]()
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true })
  }
}

class Unhandled extends Error {}
