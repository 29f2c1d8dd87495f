import type { Source, SourceItem } from '../../connectors/contract.ts'
import type { Clock } from '../../core/clock.ts'
import { type SplitOffset, START } from './offsets.ts'

/** What came of one item of a split. */
export interface FedItem<T> {
  readonly split: string
  readonly start: SplitOffset
  /** The connector's offset behind it. */
  readonly next: string
  /** Undefined: the item said that nothing is there now. */
  readonly content: T | undefined
}

export interface FeedForm<T> {
  /** The source ends: its splits are read one after the other. */
  readonly bounded: boolean
  /** Where each split begins. */
  readonly positions: ReadonlyMap<string, SplitOffset>
  /** Copies what is wanted: the item is gone when it returns. */
  readonly convert: (item: SourceItem & { readonly kind: 'batch' }, split: string, start: SplitOffset) => T
  readonly clock: Clock
}

/**
 * The items of all splits of a source, each converted as it comes; a split is not read on before its item was taken, so
 * at most one item of each split is held.
 */
export class RecordFeed<T extends { readonly records: readonly unknown[] }> {
  readonly #source: Source
  readonly #form: FeedForm<T>
  readonly #stop = new AbortController()
  readonly #ready: { readonly item: FedItem<T>; readonly taken: () => void }[] = []
  readonly #work: Promise<void>
  #changed = Promise.withResolvers<void>()
  #ended = false
  #failure: { readonly error: unknown } | undefined

  constructor(source: Source, form: FeedForm<T>) {
    this.#source = source
    this.#form = form
    this.#work = this.#run()
  }

  /** Everything was taken, and nothing follows. */
  get ended(): boolean {
    return this.#ended && this.#ready.length === 0 && this.#failure === undefined
  }

  /** The next item; undefined at the end, when `waitMs` have passed, or when `signal` aborts: then its reason is thrown. */
  async next(waitMs: number, signal: AbortSignal | undefined): Promise<FedItem<T> | undefined> {
    const waiting = new AbortController()
    const stop = (): void => waiting.abort()
    signal?.addEventListener('abort', stop, { once: true })
    let sleep: Promise<void> | undefined
    try {
      for (;;) {
        signal?.throwIfAborted()
        const first = this.#ready.shift()
        if (first !== undefined) {
          first.taken()
          return first.item
        }
        if (this.#failure !== undefined) throw this.#failure.error
        if (this.#ended || waiting.signal.aborted) return undefined
        const changed = this.#changed.promise
        sleep ??= this.#sleep(waitMs, waiting.signal).then(() => waiting.abort())
        await Promise.race([changed, sleep])
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      waiting.abort()
    }
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (Number.isFinite(ms)) return this.#form.clock.sleep(ms, signal)
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  async close(): Promise<void> {
    this.#stop.abort()
    for (const { taken } of this.#ready) taken()
    await this.#work
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    const reading: Promise<void>[] = []
    try {
      const splits: string[] = []
      for await (const event of this.#source.splits(signal)) {
        if (event.kind === 'complete' || signal.aborted) break
        if (event.kind !== 'added') continue
        if (this.#form.bounded) splits.push(event.split.id)
        else reading.push(this.#read(event.split.id).catch((error: unknown) => this.#fail(error)))
      }
      for (const split of splits) await this.#read(split)
    } catch (error) {
      this.#fail(error)
    }
    await Promise.all(reading)
    this.#ended = true
    this.#wake()
  }

  #fail(error: unknown): void {
    if (!this.#stop.signal.aborted) this.#failure ??= { error }
    this.#stop.abort()
    this.#wake()
  }

  async #read(split: string): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return
    let at = this.#form.positions.get(split) ?? START
    const reader = this.#source.open(split)
    try {
      for await (const item of reader.read(at.offset, signal)) {
        if (signal.aborted) return
        const content = item.kind === 'idle' ? undefined : this.#form.convert(item, split, at)
        const taken = Promise.withResolvers<void>()
        this.#ready.push({ item: { split, start: at, next: item.next, content }, taken: taken.resolve })
        this.#wake()
        await taken.promise
        at = { offset: item.next, skip: Math.max(0, at.skip - (content?.records.length ?? 0)) }
      }
    } finally {
      await reader[Symbol.asyncDispose]()
    }
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}
