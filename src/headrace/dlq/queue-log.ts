import { dirname } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { Random } from '../../core/random.ts'
import { BackOff, RETRY_DEFAULTS } from '../../core/retry.ts'
import { AppendLog } from '../../log/append-log.ts'
import type { Checksum } from '../../log/frame.ts'
import { type LogFiles, systemFiles } from '../../log/log-files.ts'
import { newWriter, type Writer } from './queue-folder.ts'
import { encodeRecord, KIND, type WriterMeta } from './records.ts'

export interface QueueLogForm {
  /** Of the queue. */
  readonly directory: string
  readonly label: string
  readonly meta: WriterMeta
  readonly checksum: Checksum
  readonly clock: Clock
  readonly files?: LogFiles | undefined
  /** Ends the wait for a disk that does not take anything. */
  readonly signal: AbortSignal
  /** The disk did not take what was written; undefined: it does again. */
  readonly onWait: (detail: string | undefined) => void
}

/** With the longest original (10 MiB) and what waits for a flush, a segment stays below 64 MiB. */
const SEGMENT_BYTES = 48 * 1024 * 1024
const RETRY = { ...RETRY_DEFAULTS, maxMs: 10_000 }

/**
 * The log of one writer of a queue; its folder is made with the first record. What cannot be written is kept and tried
 * again until it is durable: a disk that is full or broken lets the pipeline wait, nothing is lost and nothing passes.
 */
export class QueueLog implements AsyncDisposable {
  readonly #form: QueueLogForm
  readonly #random = new Random(0)
  #writer: Writer | undefined
  #log: AppendLog | undefined
  /** What is not durable yet, in order; the first `#handed` have been handed to the log. */
  #waiting: { readonly kind: number; readonly payload: Uint8Array }[] = []
  #handed = 0
  #flushed = 0n
  #flushing: Promise<void> = Promise.resolve()
  waitingBytes = 0

  constructor(form: QueueLogForm) {
    this.#form = form
  }

  /** Undefined before the first record. */
  get name(): string | undefined {
    return this.#writer?.name
  }

  /** The next record's. */
  get nextSequence(): bigint {
    return this.#flushed + BigInt(this.#waiting.length) + 1n
  }

  /** Durable after the next `flush`. Gives the record's sequence. */
  append(kind: number, payload: Uint8Array): bigint {
    if (this.nextSequence === 1n) this.#add(KIND.meta, encodeRecord(this.#form.meta))
    const sequence = this.nextSequence
    this.#add(kind, payload)
    return sequence
  }

  #add(kind: number, payload: Uint8Array): void {
    this.#waiting.push({ kind, payload })
    this.waitingBytes += payload.length
  }

  /** Resolves when everything appended before is durable; throws only when `signal` aborts the wait for it. */
  flush(): Promise<void> {
    const target = this.nextSequence - 1n
    const flushed = this.#flushing.then(() => this.#flushTo(target))
    this.#flushing = flushed.catch(() => undefined)
    return flushed
  }

  async #flushTo(target: bigint): Promise<void> {
    const { clock, signal, onWait, directory } = this.#form
    const backOff = new BackOff(RETRY, this.#random)
    while (this.#flushed < target) {
      try {
        await this.#flushOnce()
      } catch (error) {
        this.#handed = 0
        const why = messageOf(error)
        onWait(`"${directory}" cannot be written: ${why}`)
        if (!signal.aborted) await clock.sleep(backOff.next(), signal)
        if (signal.aborted) throw unwritable(directory, why, error)
        continue
      }
      if (backOff.failures > 0) onWait(undefined)
    }
  }

  async #flushOnce(): Promise<void> {
    const { directory, label, checksum, files } = this.#form
    if (this.#writer === undefined) {
      const writer = newWriter(directory, label)
      const { syncDirectory } = files ?? systemFiles
      for (const parent of [directory, dirname(directory), dirname(dirname(directory))]) syncDirectory(parent)
      this.#writer = writer
    }
    this.#log ??= AppendLog.open({ directory: this.#writer.directory, checksum, files, segmentBytes: SEGMENT_BYTES })
    const until = this.#waiting.length
    for (; this.#handed < until; this.#handed++) {
      const { kind, payload } = this.#waiting[this.#handed]!
      this.#log.append(kind, payload)
    }
    await this.#log.flush()
    for (const { payload } of this.#waiting.splice(0, until)) this.waitingBytes -= payload.length
    this.#handed = 0
    this.#flushed += BigInt(until)
  }

  /** What was not flushed belongs to no epoch. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing
    await this.#log?.[Symbol.asyncDispose]().catch(() => undefined)
    this.#log = undefined
  }
}

function messageOf(error: unknown): string {
  const cause = error instanceof HeadraceError && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause.message : String(cause)
}

const unwritable = (directory: string, why: string, cause: unknown): HeadraceError =>
  new HeadraceError('dlq_full', `stopped while the dead letters in "${directory}" could not be written: ${why}`, {
    hint: 'make room or mend the disk; the next start goes on from the last checkpoint',
    cause,
  })
