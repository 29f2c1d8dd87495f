import type { Message } from './message.ts'

/** Where messages go. */
export interface Sink {
  /** Resolves when the message is safe, or, with `buffered`, when it is taken; rejects when it was not accepted. */
  send(message: Message): Promise<void>
  /** Resolves when everything sent before is safe. */
  flush?(): Promise<void>
  /** The class name when absent. */
  name?(): string
  /** `send` may resolve before the message is safe; only `flush` makes it so. */
  readonly buffered?: boolean | undefined
}

export const nameOfSink = (sink: Sink): string => sink.name?.() ?? sink.constructor.name
