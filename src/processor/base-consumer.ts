import type { CommitMode, ConsumedMessage, StreamConsumer } from './consumer.ts'

/** What consumers share: a name, and a `close` that makes pending commits durable once. */
export abstract class BaseConsumer implements StreamConsumer, AsyncDisposable {
  readonly commitMode: CommitMode = 'cumulative'
  #closing: Promise<void> | undefined

  abstract consume(options?: { readonly signal?: AbortSignal | undefined }): Promise<ConsumedMessage | null>

  abstract commit(offset: string, partition?: string | undefined): Promise<void>

  sourceName(): string {
    return 'unknown'
  }

  /** Makes commits that are not durable yet durable; runs in `close`. */
  protected async flushCommits(): Promise<void> {}

  close(): Promise<void> {
    this.#closing ??= this.flushCommits()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
