import type {
  Health,
  Offset,
  Source,
  SourceContext,
  SourceItem,
  SplitEvent,
  SplitReader,
} from '../../connectors/contract.ts'
import { SystemColumns } from '../../connectors/system-columns.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { Frame } from '../frame.ts'
import { timeOf } from '../frame-fields.ts'
import type { LiveStart } from '../live.ts'
import type { Stream } from '../stream.ts'
import { accountOf, knownStream, rethrow, type StreamAccount, streamText } from './client.ts'
import { frameLine } from './columns.ts'
import type { StreamOptions } from './options.ts'

type Decoder = ReturnType<SourceContext['decoder']>

/** Payload bytes that are read at once. */
const PAGE_BYTES = 1024 * 1024

/** One split: the frames of a stream in the order of positions. */
export class StreamSource implements Source {
  readonly #context: SourceContext
  readonly #account: StreamAccount
  readonly #stream: Stream

  private constructor(context: SourceContext, account: StreamAccount, stream: Stream) {
    this.#context = context
    this.#account = account
    this.#stream = stream
  }

  static async open(context: SourceContext): Promise<StreamSource> {
    const account = accountOf(context.uri, context.options as StreamOptions)
    return new StreamSource(context, account, await knownStream(account, streamText(context.uri)))
  }

  incarnation(): Promise<string> {
    return Promise.resolve(this.#stream.id)
  }

  async *splits(): AsyncIterable<SplitEvent> {
    yield { kind: 'added', split: { id: this.#stream.id } }
    yield { kind: 'complete' }
  }

  open(): SplitReader {
    return new StreamReader(this.#context, this.#account, this.#stream.id)
  }

  async lag(_split: string, at: Offset): Promise<{ readonly records: bigint }> {
    const { service, account } = this.#account
    const { releasedPosition } = await service.extent(account, this.#stream.id).catch(rethrow)
    return { records: releasedPosition - positionOf(at) }
  }

  async health(): Promise<Health> {
    const { service, account } = this.#account
    const { state, cause } = await service.health()
    const issues = cause === undefined ? [] : [{ code: 'unavailable', detail: cause }]
    if (state === 'unhealthy') return { state, issues }
    const { stalled } = await service.sla(account, this.#stream.id, 300_000).catch(rethrow)
    if (stalled) issues.push({ code: 'stream_stalled', detail: 'frames are missing' })
    return { state: issues.length === 0 ? 'healthy' : 'degraded', issues }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class StreamReader implements SplitReader {
  readonly #context: SourceContext
  readonly #account: StreamAccount
  readonly #id: string
  readonly #line: (frame: Frame) => string
  readonly #system: SystemColumns
  #decoder: Decoder | undefined

  constructor(context: SourceContext, account: StreamAccount, id: string) {
    this.#context = context
    this.#account = account
    this.#id = id
    const { columns, schema, systemColumns, batchRows: capacity, memory } = context
    this.#line = frameLine(columns.map(({ path }) => path[0]!))
    this.#system = new SystemColumns(schema, systemColumns, { capacity, memory })
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const { service, account } = this.#account
    const { exit_when_idle } = this.#context.options as StreamOptions
    let after = from === undefined ? await this.#start() : positionOf(from)
    const decoder = this.#context.decoder(this.#id, 'jsonl')
    this.#decoder = decoder
    decoder.seek({ byte: 0, ordinal: Number(after) })
    const follower = service.follow(this.#id)
    try {
      while (!signal.aborted && !follower.deleted && !follower.ended) {
        const query = { after, limit: this.#context.batchRows, maxBytes: PAGE_BYTES }
        const { frames, next, upToDate } = await service.read(account, this.#id, query).catch(rethrow)
        yield* this.#items(decoder, frames)
        after = next
        if (!upToDate) continue
        if (exit_when_idle) return
        yield { kind: 'idle', next: offsetOf(after) }
        await follower.wait(signal)
      }
    } finally {
      follower.close()
    }
    if (follower.ended && !signal.aborted) {
      throw new HeadraceError('connector_unreachable', 'the service of the stream was stopped')
    }
  }

  /** Row ordinals of the split are positions less one. */
  *#items(decoder: Decoder, frames: readonly Frame[]): Iterable<SourceItem> {
    const bytes = Buffer.from(frames.map((frame) => `${this.#line(frame)}\n`).join(''))
    for (let at = 0; at < bytes.length; ) {
      const room = decoder.reserve(1)
      const length = Math.min(room.length, bytes.length - at)
      room.set(bytes.subarray(at, at + length))
      at += length
      for (const { batch, next, rejects } of decoder.commit(length, { kind: 'delimited' })) {
        const whole = batch === undefined ? undefined : this.#system.add(batch, { source: `stream:${this.#id}` })
        yield { kind: 'batch', batch: whole, next: offsetOf(BigInt(next.ordinal)), rejects }
      }
    }
  }

  async #start(): Promise<bigint> {
    const { start } = this.#context.options as StreamOptions
    const { service, account } = this.#account
    if (/^s1:\d+$/.test(start)) return positionOf(start)
    return await service.startPosition(account, this.#id, startOf(start)).catch(rethrow)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#decoder?.[Symbol.dispose]()
    this.#decoder = undefined
    this.#system[Symbol.dispose]()
  }
}

function startOf(text: string): LiveStart {
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d{1,19}$/.test(text)) return { sequence: BigInt(text) }
  const time = timeOf(text)
  if (time !== undefined) return { time }
  throw new HeadraceError('connector_option_invalid', `start = "${text}" is no place in a stream`, {
    hint: 'earliest, latest, a sequence, an RFC 3339 time, or a position such as s1:42',
  })
}

const offsetOf = (position: bigint): Offset => `s1:${position}`

function positionOf(offset: Offset): bigint {
  const match = /^s1:(\d{1,19})$/.exec(offset)
  if (match === null) throw new HeadraceError('connector_offset_invalid', `"${offset}" is no position of a stream`)
  return BigInt(match[1]!)
}
