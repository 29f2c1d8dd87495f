import type { Health, Sink, SinkContext, SinkLedger, SinkReject } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import type { FrameInput } from '../frame-fields.ts'
import type { FrameOutcome } from '../outcomes.ts'
import type { WriterMark } from '../store.ts'
import {
  accountOf,
  connectorFault,
  findStream,
  knownStream,
  rethrow,
  type StreamAccount,
  streamText,
} from './client.ts'
import type { StreamOptions } from './options.ts'
import { RowInputs } from './row-inputs.ts'

/** Characters of the payloads of one append. */
const APPEND_CHARACTERS = 1024 * 1024
const NONE: readonly SinkReject[] = []

/**
 * Rows become frames. With checkpoints the rows of an epoch are appended at its commit, in chunks that carry writer,
 * epoch and number: the service keeps the last ones with the frames, so that a repeated commit stores nothing twice.
 */
export class StreamSink implements Sink {
  readonly #context: SinkContext
  readonly #account: StreamAccount
  readonly #id: string
  readonly #inputs: RowInputs
  readonly #writer: string

  private constructor(context: SinkContext, account: StreamAccount, id: string) {
    this.#context = context
    this.#account = account
    this.#id = id
    this.#inputs = new RowInputs(context)
    this.#writer = `${context.pipeline}/${context.part}/${context.writer}/${context.lineage}`
  }

  static async open(context: SinkContext): Promise<StreamSink> {
    const options = context.options as StreamOptions
    const account = accountOf(context.uri, options)
    const text = streamText(context.uri)
    const found = await findStream(account, text)
    if (found !== undefined) return new StreamSink(context, account, found.id)
    if (!options.create) await knownStream(account, text)
    const fields = { accountId: account.account, name: text, symbol: text, status: 'active', slaMs: options.sla_ms }
    const { id } = await account.service.createStream(fields).catch(rethrow)
    return new StreamSink(context, account, id)
  }

  async write(batch: Batch): Promise<readonly SinkReject[]> {
    return await this.#append(this.#inputs.of(batch), 0, undefined)
  }

  flush(): Promise<readonly SinkReject[]> {
    return Promise.resolve(NONE)
  }

  async prepare(): Promise<Uint8Array> {
    return new Uint8Array(0)
  }

  async commit(epoch: bigint, _token: Uint8Array, replay: () => AsyncIterable<Batch>): Promise<readonly SinkReject[]> {
    const rejects: SinkReject[] = []
    let chunk = 0n
    let rows = 0
    for await (const batch of replay()) {
      const mark = (): Omit<WriterMark, 'id' | 'incarnation'> => ({ epoch, chunk: chunk++ })
      rejects.push(...(await this.#append(this.#inputs.of(batch), rows, mark)))
      rows += batch.rows
    }
    return rejects
  }

  async abort(): Promise<void> {}

  /**
   * The last chunk of an epoch may be missing: what is surely there is the epoch before. Committing the last one again
   * stores nothing twice.
   */
  async ledger(incarnation: bigint): Promise<SinkLedger | undefined> {
    const { service, account } = this.#account
    const kept = await service.claimWriter(account, this.#id, { id: this.#writer, incarnation }).catch(rethrow)
    return { epoch: kept.epoch === 0n ? 0n : kept.epoch - 1n, incarnation }
  }

  async restore(): Promise<void> {}

  async #append(
    inputs: readonly FrameInput[],
    firstRow: number,
    mark: (() => Omit<WriterMark, 'id' | 'incarnation'>) | undefined,
  ): Promise<readonly SinkReject[]> {
    const { service, account } = this.#account
    const { batch: most } = this.#context.options as StreamOptions
    const rejects: SinkReject[] = []
    for (let from = 0; from < inputs.length; ) {
      const chunk = inputs.slice(from, from + chunkLength(inputs, from, most))
      const { incarnation } = this.#context
      const writer = mark === undefined ? undefined : { id: this.#writer, incarnation, ...mark() }
      const outcomes = await service.createFrames(account, this.#id, chunk, { writer }).catch(rethrow)
      for (const [i, outcome] of outcomes.entries()) {
        const reject = rejectOf(outcome, firstRow + from + i)
        if (reject !== undefined) rejects.push(reject)
      }
      from += chunk.length
    }
    return rejects
  }

  async health(): Promise<Health> {
    const { state, cause } = await this.#account.service.health()
    return { state, issues: cause === undefined ? [] : [{ code: 'unavailable', detail: cause }] }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#inputs[Symbol.dispose]()
  }
}

/** Rows of the next append: at least one. */
function chunkLength(inputs: readonly FrameInput[], from: number, most: number): number {
  let characters = 0
  for (let count = 0; count < most; count++) {
    const input = inputs[from + count]
    if (input === undefined) return count
    characters += input.payloadText!.length
    if (characters > APPEND_CHARACTERS && count > 0) return count
  }
  return most
}

const REJECTED: ReadonlySet<unknown> = new Set(['validation', 'sequence_conflict', 'too_large'])

/** What is wrong with the row itself; anything else ends the write. */
function rejectOf(outcome: FrameOutcome, row: number): SinkReject | undefined {
  if (outcome.status !== 'error') return undefined
  const { error } = outcome
  const { code } = error as { readonly code?: string }
  if (!REJECTED.has(code)) throw connectorFault(error)
  return { row, code: code!, detail: error.message }
}
