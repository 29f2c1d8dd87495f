import type { Health, Source, SourceContext, SplitEvent, SplitReader } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import { datastreamError } from './errors.ts'
import { numberOfText, toHex } from './numbers.ts'
import type { ChainOptions } from './options.ts'
import { Shelf } from './shelf.ts'
import type { BatchSource } from './source.ts'
import { checkpointBefore } from './source.ts'
import { ChainReader } from './sql-reader.ts'
import type { Batch } from './types.ts'

const SPLIT = 'chain'

/** What a checkpoint keeps beside the position: this as the first line, then a line for every batch of the shelf. */
interface SavedState {
  readonly version: 1
  readonly incarnation: string
  /** Number of the first batch, as hex. */
  readonly first: string | undefined
}

/** A chain of batches as rows: one split, one reader. */
export class ChainSource implements Source {
  readonly #context: SourceContext
  readonly #options: ChainOptions
  readonly #source: BatchSource
  readonly #shelf: Shelf
  /** The first batch, asked for to know which chain it is. */
  #peeked: Batch | undefined
  #incarnation: string | undefined
  #first: bigint | undefined

  constructor(context: SourceContext, source: BatchSource) {
    this.#context = context
    this.#options = context.options as ChainOptions
    this.#source = source
    this.#shelf = new Shelf(this.#options.continuity ? this.#options.rollback_depth : 0)
    const { state } = context
    if (state === undefined) return
    const [head = '', ...batches] = Buffer.from(state).toString('utf8').split('\n')
    const { incarnation, first } = JSON.parse(head) as SavedState
    this.#shelf.fill(batches)
    this.#incarnation = incarnation
    if (first !== undefined) this.#first = numberOfText(first)
  }

  /** Hash of the first batch that was seen; empty when there was none at the first start. */
  async incarnation(): Promise<string> {
    if (this.#incarnation === undefined) {
      await this.#seekStart()
      this.#peeked = (await this.#source.next({ signal: this.#context.signal })) ?? undefined
      this.#incarnation = this.#peeked?.id.hash ?? ''
    }
    return this.#incarnation
  }

  async #seekStart(): Promise<void> {
    const { from } = this.#options
    if (from === 'auto') return
    if (from === 'latest') {
      throw new HeadraceError('connector_offset_gone', 'from=latest: no position is stored', {
        hint: 'from=auto begins at the beginning, from=<number> behind that batch',
      })
    }
    const number = numberOfText(from)
    if (number === undefined) {
      throw new HeadraceError('connector_option_invalid', `option "from": "${from}" is no batch number`, {
        hint: 'auto, latest, or a number in decimal or 0x hex',
      })
    }
    await this.#source.setCheckpoint(checkpointBefore(number + 1n))
  }

  async *splits(): AsyncIterable<SplitEvent> {
    yield { kind: 'added', split: { id: SPLIT } }
    yield { kind: 'complete' }
  }

  open(): SplitReader {
    return new ChainReader({
      context: this.#context,
      source: this.#source,
      shelf: this.#shelf,
      split: SPLIT,
      start: async () => {
        await this.incarnation()
        const peeked = this.#peeked
        this.#peeked = undefined
        return peeked
      },
      first: (number) => {
        this.#first ??= number
        return this.#first
      },
    })
  }

  state(): Uint8Array {
    const first = this.#first === undefined ? undefined : toHex(this.#first)
    const saved: SavedState = { version: 1, incarnation: this.#incarnation ?? '', first }
    return Buffer.from([JSON.stringify(saved), ...this.#shelf.texts()].join('\n'))
  }

  async health(): Promise<Health> {
    try {
      await this.#source.healthCheck()
      return { state: 'healthy', issues: [] }
    } catch (error) {
      const { code, message } = datastreamError(error)
      return { state: 'unhealthy', issues: [{ code, detail: message }] }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.close?.()
  }
}
