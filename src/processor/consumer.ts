import type { Message } from './message.ts'

/** A message as a consumer gives it: with the offset that commits it, where it has one. */
export class ConsumedMessage {
  readonly message: Message
  readonly offset: string | undefined
  readonly partition: string | undefined

  private constructor(message: Message, offset: string | undefined, partition: string | undefined) {
    this.message = message
    this.offset = offset
    this.partition = partition
  }

  static withOffset(message: Message, offset: string, partition?: string | undefined): ConsumedMessage {
    return new ConsumedMessage(message, offset, partition)
  }

  static withoutOffset(message: Message): ConsumedMessage {
    return new ConsumedMessage(message, undefined, undefined)
  }
}

/** `cumulative`: an offset covers all earlier ones of its partition. `individual`: an offset covers itself alone. */
export type CommitMode = 'cumulative' | 'individual'

/** What gives messages one by one. */
export interface StreamConsumer {
  /** The next message; waits for it. `null`, from then on for ever: the stream has ended. */
  consume(options?: { readonly signal?: AbortSignal | undefined }): Promise<ConsumedMessage | null>
  /** The message of the offset (and, when cumulative, all before it in its partition) need not come again. */
  commit(offset: string, partition?: string | undefined): Promise<void>
  close?(): Promise<void>
  sourceName(): string
  /** `cumulative` when absent. */
  readonly commitMode?: CommitMode | undefined
}
