import { type Clock, systemClock } from '../core/clock.ts'
import { described, type OptionNames, optionsFault } from '../core/option-names.ts'
import { ValidationError } from './errors.ts'
import { MessageId, SourceName, Timestamp } from './values.ts'

/** When and where a message came from. */
export class MessageMetadata {
  readonly timestamp: Timestamp
  readonly source: SourceName

  constructor(timestamp: Timestamp, source: SourceName) {
    this.timestamp = timestamp
    this.source = source
  }

  sourceName(): SourceName {
    return this.source
  }
}

export type MessageHeaders = ReadonlyArray<readonly [string, Uint8Array | null]>

/** One item that consumers give, processors judge and sinks take. */
export interface Message {
  readonly id: MessageId
  readonly metadata: MessageMetadata
  readonly payload: Uint8Array
  readonly contentType?: string | undefined
  /** Length of the payload in bytes. */
  readonly size: number
  readonly headers?: MessageHeaders | undefined
}

/** What a message is made from; texts are checked as `MessageId.of`, `SourceName.of` and `Timestamp.of` do. */
export interface MessageParts {
  /** Text becomes UTF-8. */
  readonly payload: Uint8Array | string
  readonly source: string
  readonly id?: string | undefined
  /** The clock's time when it is missing. */
  readonly timestamp?: Date | number | bigint | string | undefined
  readonly contentType?: string | undefined
  readonly headers?: MessageHeaders | undefined
}

const PARTS: OptionNames<MessageParts> = {
  payload: true,
  source: true,
  id: true,
  timestamp: true,
  contentType: true,
  headers: true,
}
const NO_PARTS = { message: 'a message is made from an object', hint: 'payload and source are needed' }

/** The message that code makes. Its fields are fixed; `with…` gives copies. */
export class GenericMessage implements Message {
  readonly id: MessageId
  readonly metadata: MessageMetadata
  readonly payload: Uint8Array
  readonly contentType: string | undefined
  readonly headers: MessageHeaders | undefined

  /** `(payload, source)` draws an id; `(id, payload, source, contentType?)` has one. Throws `ValidationError`. */
  constructor(payload: Uint8Array | string, source: string)
  constructor(id: string, payload: Uint8Array | string, source: string, contentType?: string)
  constructor(
    ...given: [Uint8Array | string, string] | [string, Uint8Array | string, string, (string | undefined)?] | [Fields]
  ) {
    const fields = given.length === 1 && isFields(given[0]) ? given[0] : fieldsOf(partsOf(given), systemClock)
    this.id = fields.id
    this.metadata = fields.metadata
    this.payload = fields.payload
    this.contentType = fields.contentType
    this.headers = fields.headers
  }

  /** From named parts; throws `ValidationError`. */
  static from(
    parts: MessageParts,
    { clock = systemClock }: { readonly clock?: Clock | undefined } = {},
  ): GenericMessage {
    const fault =
      parts === undefined ? NO_PARTS : optionsFault('a message', parts, PARTS as Readonly<Record<string, true>>)
    if (fault !== undefined) {
      const reason = `${fault.message}; ${fault.hint}`
      throw new ValidationError('InvalidFormat', { field: 'message', reason })
    }
    return make(fieldsOf(parts, clock))
  }

  /** Any message as one of this class. */
  static of(message: Message): GenericMessage {
    if (message instanceof GenericMessage) return message
    return make(fieldsIn(message))
  }

  get size(): number {
    return this.payload.length
  }

  withContentType(contentType: string): GenericMessage {
    return make({ ...fieldsIn(this), contentType })
  }

  /** The same message with another payload. */
  withPayload(payload: Uint8Array | string): GenericMessage {
    return make({ ...fieldsIn(this), payload: bytesOf(payload) })
  }
}

interface Fields {
  readonly id: MessageId
  readonly metadata: MessageMetadata
  readonly payload: Uint8Array
  readonly contentType: string | undefined
  readonly headers: MessageHeaders | undefined
}

const isFields = (given: unknown): given is Fields => typeof given === 'object' && given !== null && 'metadata' in given

const fieldsIn = ({ id, metadata, payload, contentType, headers }: Message): Fields => ({
  id,
  metadata,
  payload,
  contentType,
  headers,
})

// Checked fields take a signature of the constructor that is not public.
const make = (fields: Fields): GenericMessage =>
  new (GenericMessage as unknown as new (fields: Fields) => GenericMessage)(fields)

function bytesOf(payload: Uint8Array | string): Uint8Array {
  if (typeof payload === 'string') return ENCODER.encode(payload)
  if (payload instanceof Uint8Array) return payload
  const reason = `it must be bytes or a text, not ${described(payload)}`
  throw new ValidationError('InvalidFormat', { field: 'payload', reason })
}
const ENCODER = new TextEncoder()

function partsOf(given: readonly unknown[]): MessageParts {
  const [id, payload, source, contentType] = given.length < 3 ? [undefined, ...given] : given
  return { id, payload, source, contentType } as MessageParts
}

function fieldsOf(parts: MessageParts, clock: Clock): Fields {
  const { id, source, timestamp, contentType, headers } = parts
  const when = timestamp === undefined ? Timestamp.now(clock) : Timestamp.of(timestamp, { clock })
  return {
    id: id === undefined ? MessageId.newOrGenerate(undefined, clock) : MessageId.of(id),
    metadata: new MessageMetadata(when, SourceName.of(source)),
    payload: bytesOf(parts.payload),
    contentType,
    headers,
  }
}
