import { SinkError } from '../errors.ts'
import type { Message } from '../message.ts'
import type { Sink } from '../sink.ts'

/** Makes a message sink of a URI. */
export type OpenSink = (uri: string) => Sink | Promise<Sink>

/** Where messages go that cannot be processed: a sink that is opened with the first of them. */
export class DeadLetterSink implements Sink {
  readonly #uri: string
  readonly #openSink: OpenSink
  #opened: Promise<Sink> | undefined
  #sent = 0

  constructor(uri: string, { openSink }: { readonly openSink: OpenSink }) {
    this.#uri = uri
    this.#openSink = openSink
  }

  async send(message: Message): Promise<void> {
    const sink = await this.#open()
    await sink.send(message)
    // A dead letter is safe before the offset of its message is committed.
    await sink.flush?.()
    this.#sent++
  }

  async flush(): Promise<void> {
    if (this.#opened !== undefined) await (await this.#opened).flush?.()
  }

  /** Messages that were written. */
  get sent(): number {
    return this.#sent
  }

  async #open(): Promise<Sink> {
    this.#opened ??= (async () => await this.#openSink(this.#uri))()
    try {
      return await this.#opened
    } catch (error) {
      // The next message tries again.
      this.#opened = undefined
      throw new SinkError('Unavailable', { sinkName: 'DeadLetterSink' }, { cause: error })
    }
  }
}
