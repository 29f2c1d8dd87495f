import { ProcessingError } from '../errors.ts'
import { GenericMessage, type Message } from '../message.ts'
import { isPromise, type Transformer } from '../processor.ts'
import { needFunction } from '../settings.ts'

/** What a mapping gives: another message, or only another payload (text becomes UTF-8). */
export type Mapped = Message | Uint8Array | string

/** Puts what `fn` gives in the place of the message; id, source, time and headers stay with a new payload. */
export class MapTransformer implements Transformer {
  readonly #fn: (message: Message) => Mapped | Promise<Mapped>

  constructor(fn: (message: Message) => Mapped | Promise<Mapped>) {
    needFunction('the mapping', fn)
    this.#fn = fn
  }

  transform(message: Message): Message[] | Promise<Message[]> {
    const mapped = this.#fn(message)
    return isPromise(mapped) ? mapped.then((each) => [replaced(message, each)]) : [replaced(message, mapped)]
  }
}

function replaced(message: Message, mapped: Mapped): Message {
  if (typeof mapped === 'string' || mapped instanceof Uint8Array) return GenericMessage.of(message).withPayload(mapped)
  if (mapped?.payload instanceof Uint8Array) return mapped
  throw new ProcessingError('UnexpectedState', { message: 'the mapping gave neither a message nor a payload' })
}
