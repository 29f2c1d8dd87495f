import type { Clock } from '../core/clock.ts'
import { bump, type DomainCounters } from './counters.ts'
import { DatastreamsError, ServiceUnavailableError } from './errors.ts'
import type { FrameFields } from './frame.ts'
import { type FrameInput, frameFields } from './frame-fields.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Outbox } from './outbox.ts'
import { type FrameOutcome, outcomeOf } from './outcomes.ts'
import type { CreateFramesOptions } from './service-types.ts'
import type { Append, Appended, Store, WriterMark } from './store.ts'

/** `receivedAt`: when its first byte came, milliseconds since 1970; now by default. */
export type ReceivedInput = FrameInput & { readonly receivedAt?: number | undefined }

export interface IngestDeps {
  readonly store: Store
  readonly commits: GroupCommit
  readonly outbox: Outbox | undefined
  readonly counters: DomainCounters
  readonly clock: Clock
  readonly maxFrameBytes: number
}

/** The way of frames from what a caller gave to what became of them. */
export class Ingest {
  readonly #deps: IngestDeps

  constructor(deps: IngestDeps) {
    this.#deps = deps
  }

  async create(
    { accountId, streamId }: { readonly accountId: string; readonly streamId: string },
    inputs: readonly ReceivedInput[],
    options: CreateFramesOptions,
  ): Promise<readonly FrameOutcome[]> {
    const { store, outbox, clock } = this.#deps
    if (outbox?.takes(inputs.length) === false) {
      throw new ServiceUnavailableError('too many frames wait for the bus', { retryAfterMs: 1000 })
    }
    const now = Math.floor(clock.nowMicros() / 1000)
    const { atomic = false, producer, writer, idempotency } = options
    const outcomes: FrameOutcome[] = new Array(inputs.length)
    const places: number[] = []
    const frames: { readonly fields: FrameFields; readonly receivedAt: number }[] = []
    for (const [i, input] of inputs.entries()) {
      try {
        frames.push({ fields: this.#fieldsOf(input), receivedAt: input.receivedAt ?? now })
        places.push(i)
      } catch (error) {
        if (atomic) throw error
        outcomes[i] = { status: 'error', error: error as Error }
      }
    }
    const merge = (appended: readonly Appended[]): readonly FrameOutcome[] => {
      for (const [at, i] of places.entries()) outcomes[i] = outcomeOf(streamId, appended[at]!)
      return outcomes
    }
    if (frames.length > 0) {
      merge(
        await this.#deps.commits.append({
          streamId,
          frames,
          atomic,
          producer,
          writer,
          idempotency: kept(options, merge),
        }),
      )
    } else if (idempotency !== undefined) {
      const answer = idempotency.answer(outcomes)
      if (answer === undefined) store.idempotency.abandon(idempotency.key)
      else await store.idempotency.finish(idempotency.key, answer, now)
    }
    this.#count(accountId, streamId, outcomes)
    const fault = atomic ? outcomes.find((outcome) => outcome.status === 'error') : undefined
    if (fault?.status === 'error') throw fault.error
    return outcomes
  }

  async claim(streamId: string, writer: Pick<WriterMark, 'id' | 'incarnation'>): Promise<Omit<WriterMark, 'id'>> {
    const mark = { ...writer, epoch: 0n, chunk: 0n }
    const [claimed] = await this.#deps.commits.append({ streamId, frames: [], atomic: false, writer: mark })
    const outcome = claimed === undefined ? undefined : outcomeOf(streamId, claimed)
    if (outcome?.status === 'error') throw outcome.error
    return (await this.#deps.store.getWriter(streamId, writer.id)) ?? mark
  }

  #fieldsOf(input: FrameInput): FrameFields {
    const fields = frameFields(input)
    if (fields.payload.length <= this.#deps.maxFrameBytes) return fields
    throw new DatastreamsError('too_large', `a payload has at most ${this.#deps.maxFrameBytes} bytes`)
  }

  #count(accountId: string, streamId: string, outcomes: readonly FrameOutcome[]): void {
    const { counters } = this.#deps
    for (const outcome of outcomes) {
      if (outcome.status === 'created') continue
      if (outcome.status !== 'error') counters.of(streamId, accountId).duplicates++
      else bump(counters.rejected, outcome.error instanceof DatastreamsError ? outcome.error.code : 'internal')
    }
  }
}

/** The answer to keep, made of what becomes of all frames. */
function kept(
  { idempotency }: CreateFramesOptions,
  merge: (appended: readonly Appended[]) => readonly FrameOutcome[],
): Append['idempotency'] {
  return idempotency === undefined
    ? undefined
    : { ...idempotency, answer: (appended) => idempotency.answer(merge(appended)) }
}
