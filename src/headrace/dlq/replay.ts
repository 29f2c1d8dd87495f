import type { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import type { Sink, Source } from '../../connectors/contract.ts'
import { Checksum } from '../../kernels/crc32c.ts'
import { restoredSource } from '../../runtime/delivery/cut.ts'
import type { SourceNode } from '../../sql/plan.ts'
import { rowJson } from '../bad-rows.ts'
import type { DeadLetter, DeadLetters } from '../dead-letters.ts'
import type { Engine } from '../engine.ts'
import type { OpenPlace } from '../open.ts'
import { checkBytes, type ErrorDetails, errorDetails, isoOf } from './entry.ts'
import { entryAt } from './queue-folder.ts'
import { type IndexedEntry, readQueue } from './queue-state.ts'
import type { Change } from './records.ts'
import { type ReplayFeed, type ReplayRecord, ReplaySource, type Unreadable } from './replay-source.ts'
import { type LeftOut, Replayable } from './replayable.ts'
import type { Rerun } from './rerun.ts'
import { type EntryFilter, selectEntries } from './select.ts'

/** New bytes for an original; null: the entry stays as it is. */
export type MapBytes = (bytes: Uint8Array) => Uint8Array | null | Promise<Uint8Array | null>

export interface ReplayForm {
  readonly engine: Engine
  /** Of the queue. */
  readonly directory: string
  readonly filter: EntryFilter
  readonly letters: DeadLetters
  readonly map?: MapBytes | undefined
  /** Entries per second; undefined: as fast as they go. */
  readonly rate?: number | undefined
  /** Nothing is touched; gives what would come of it. */
  readonly dryRun: boolean
}

/** What became of the entries that were chosen. */
export interface ReplayReport {
  readonly selected: number
  /** Delivered, or left out by the query itself; of a dry run: what would be. */
  readonly resolved: number
  /** That failed again, by code. */
  readonly failed: Readonly<Record<string, number>>
  /** That did not run, by reason. */
  readonly left: Readonly<Record<string, number>>
  /** Of a dry run: the first rows, as JSON. */
  readonly samples: readonly string[]
}

interface Chosen {
  readonly entries: readonly IndexedEntry[]
  readonly replayable: Replayable
}

const SAMPLES = 10

/** Runs chosen entries through their pipeline once more; each is one item of its source, so that its outcome is known. */
export class Replay implements Rerun {
  readonly #form: ReplayForm
  readonly #checksum: Checksum
  #chosen: Chosen | undefined
  /** The source that tells of entries which belong to none. */
  #teller: string | undefined
  /** By source: the entry whose rows are in the graph. */
  readonly #current = new Map<string, IndexedEntry>()
  readonly #refused: Change[] = []
  #resolved = 0
  readonly #failed = new Map<string, number>()
  readonly #left = new Map<LeftOut, number>()
  readonly #samples: string[] = []
  readonly openSink: (() => Sink) | undefined

  constructor(form: ReplayForm) {
    this.#form = form
    this.#checksum = new Checksum(form.engine.kernels)
    // What an entry gives is asked for after its step.
    form.letters.queued = true
    this.openSink = form.dryRun ? () => this.#sandbox() : undefined
  }

  get report(): ReplayReport {
    return {
      selected: this.#chosen?.entries.length ?? 0,
      resolved: this.#resolved,
      failed: Object.fromEntries(this.#failed),
      left: Object.fromEntries(this.#left),
      samples: this.#samples,
    }
  }

  openSource(place: OpenPlace, node: SourceNode, restored: StreamCheckpoint | undefined): Source {
    const { incarnation = '' } = restoredSource(node.id, restored)
    const records = this.#recordsOf(place, node)
    const feed: ReplayFeed = {
      next: (signal) => this.#next(records, signal),
      refuse: (why) => this.#refuse(node, why),
    }
    return new ReplaySource(place, node, { feed, incarnation })
  }

  /** Chosen when the queue is settled: what the last run left committed counts. */
  #choose({ plan }: OpenPlace): Chosen {
    const { directory, filter } = this.#form
    this.#chosen ??= {
      entries: selectEntries(readQueue(directory, this.#checksum), { ...filter, state: 'pending' }),
      replayable: new Replayable(plan),
    }
    return this.#chosen
  }

  async *#recordsOf(place: OpenPlace, node: SourceNode): AsyncGenerator<ReplayRecord> {
    const { entries, replayable } = this.#choose(place)
    for (const entry of entries) {
      const { facts, bytes } = entryAt(entry.writer, entry.place, this.#checksum)
      const source = replayable.sourceOf(facts)
      const left = replayable.leftOut(facts, entry.stage)
      // An entry without a source is told by one of them.
      if (source === undefined ? this.#tells(node) : source === node && left !== undefined) {
        this.#leave(left!)
        continue
      }
      if (source !== node) continue
      checkBytes(facts, bytes)
      const mapped = await this.#mapped(entry, bytes)
      if (mapped === undefined) continue
      this.#current.set(node.id, entry)
      const { partition, position, offset } = facts.original_message
      // Where the byte is not known, it is not the first one: a file begins with its header.
      yield { bytes: mapped, split: partition ?? '', byte: position ?? 1, ordinal: offset ?? 0 }
    }
  }

  #tells(node: SourceNode): boolean {
    this.#teller ??= node.id
    return this.#teller === node.id
  }

  #leave(why: LeftOut): void {
    this.#left.set(why, (this.#left.get(why) ?? 0) + 1)
  }

  async #mapped(entry: IndexedEntry, bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const { map } = this.#form
    if (map === undefined) return bytes
    try {
      const mapped = await map(bytes)
      if (mapped !== null) return mapped
      this.#leave('--map left it out')
    } catch (error) {
      this.#refuseWith(entry, 'row_udf_failed', `--map: ${error instanceof Error ? error.message : String(error)}`)
    }
    return undefined
  }

  async #next(records: AsyncGenerator<ReplayRecord>, signal: AbortSignal): Promise<ReplayRecord | undefined> {
    const { rate, engine } = this.#form
    if (rate !== undefined) await engine.clock.sleep(1000 / rate, signal)
    if (signal.aborted) return undefined
    const { value, done } = await records.next()
    return done === true ? undefined : value
  }

  #refuse(node: SourceNode, why: Unreadable): void {
    const entry = this.#current.get(node.id)!
    this.#current.delete(node.id)
    if ('header' in why) this.#leave('its header is gone')
    else this.#refuseWith(entry, 'connector_record_invalid', `the bytes hold ${why.records} records, not one`)
  }

  /** It failed without a row: the next step says so, in its epoch. */
  #refuseWith(entry: IndexedEntry, code: string, detail: string): void {
    const details: ErrorDetails = errorDetails({
      code,
      detail,
      stage: 'decode',
      source: '',
      split: undefined,
      ordinal: undefined,
      byte: undefined,
      value: new Uint8Array(0),
      encoding: 'raw',
      sqlPosition: undefined,
    })
    this.#count(code)
    this.#refused.push(this.#change(entry, details))
  }

  #count(code: string): void {
    this.#failed.set(code, (this.#failed.get(code) ?? 0) + 1)
  }

  #change({ id }: IndexedEntry, error?: ErrorDetails): Change {
    const at = isoOf(this.#form.engine.clock.nowMicros())
    return error === undefined
      ? { id, at, to: 'resolved', by: 'replay' }
      : { id, at, to: 'pending', by: 'replay', error }
  }

  afterStep(
    source: SourceNode | undefined,
    letters: readonly DeadLetter[],
    change: ((change: Change) => void) | undefined,
  ): void {
    for (const one of this.#refused.splice(0)) change?.(one)
    const entry = source === undefined ? undefined : this.#current.get(source.id)
    if (entry === undefined) return
    this.#current.delete(source!.id)
    // It is counted already: now it is delivered, or fails by what it gave.
    this.#form.letters.takeBack(entry.code)
    const [letter] = letters
    if (letter === undefined) {
      this.#resolved++
      change?.(this.#change(entry))
    } else {
      this.#count(letter.code)
      change?.(this.#change(entry, errorDetails(letter)))
    }
  }

  #sandbox(): Sink {
    return {
      write: async (batch) => {
        for (let row = 0; row < batch.rows && this.#samples.length < SAMPLES; row++) {
          this.#samples.push(rowJson(batch, row))
        }
        return []
      },
      flush: async () => [],
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  [Symbol.dispose](): void {
    this.#checksum[Symbol.dispose]()
  }
}
