import { Connection } from './connection.ts'
import { subscribeTo } from './subscribe.ts'
import type {
  ClientOptions,
  Frame,
  FrameInput,
  FrameQuery,
  FrameResult,
  LiveFrame,
  Page,
  Stream,
  StreamFields,
  StreamPatch,
  StreamQuery,
  SubscribeOptions,
} from './types.ts'
import { frameBody, frameFrom, framesFrom, resultFrom, streamBody, streamFrom } from './wire.ts'

export { StreamsClientError } from './client-error.ts'
export type {
  ClientOptions,
  Frame,
  FrameInput,
  FrameQuery,
  FrameResult,
  FrameStatus,
  LiveFrame,
  Page,
  Payload,
  Retention,
  Stream,
  StreamFields,
  StreamPatch,
  StreamQuery,
  StreamStatus,
  SubscribeOptions,
} from './types.ts'

const NDJSON = 'application/x-ndjson'
/** Frames and bytes of one request of `createFrames`. */
const BATCH_FRAMES = 1000
const BATCH_BYTES = 1024 * 1024

/**
 * A client of the data-streams service, for Node and browsers. Sequences and positions are exact; a request is tried
 * again while that may help, with one idempotency key; a subscription goes on where it was cut. Faults are
 * `StreamsClientError`s with the code of the answer.
 */
export class StreamsClient {
  readonly #connection: Connection

  constructor(options: ClientOptions) {
    this.#connection = new Connection(options)
  }

  async createStream(fields: StreamFields): Promise<Stream> {
    const body = streamBody(fields)
    return await this.#stream({ method: 'POST', path: '/v1/streams', body })
  }

  async getStream(id: string): Promise<Stream> {
    return await this.#stream({ method: 'GET', path: pathOf(id) })
  }

  /** Only the fields that are given. `version`: fails with `precondition_failed` unless it is the newest. */
  async updateStream(id: string, patch: StreamPatch, { version }: { readonly version?: number } = {}): Promise<Stream> {
    const headers = version === undefined ? {} : { 'if-match': `"${version}"` }
    return await this.#stream({ method: 'PATCH', path: pathOf(id), body: streamBody(patch), headers })
  }

  async deleteStream(id: string): Promise<void> {
    await this.#connection.ask({ method: 'DELETE', path: pathOf(id) })
  }

  /** One page, newest created first. */
  async listStreams({ namePrefix, ...query }: StreamQuery = {}): Promise<Page<Stream>> {
    const response = await this.#connection.ask({
      method: 'GET',
      path: '/v1/streams',
      query: { ...query, name_prefix: namePrefix },
    })
    const { data, next_cursor: cursor } = (await response.json()) as {
      readonly data: Parameters<typeof streamFrom>[0][]
      readonly next_cursor: string | null
    }
    return { data: data.map(streamFrom), nextCursor: cursor ?? undefined }
  }

  /** Every page, one after the other: `client.pages((cursor) => client.listFrames(id, { cursor }))`. */
  async *pages<T>(list: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T, void, undefined> {
    let cursor: string | undefined
    do {
      const page = await list(cursor)
      yield* page.data
      cursor = page.nextCursor
    } while (cursor !== undefined)
  }

  async createFrame(streamId: string, input: FrameInput): Promise<Frame> {
    const path = `${pathOf(streamId)}/frames`
    const response = await this.#connection.ask({ method: 'POST', path, body: frameBody(input) })
    return frameFrom(await response.text())
  }

  /** `createFrame` in one object. */
  async publish({ streamId, ...input }: FrameInput & { readonly streamId: string }): Promise<Frame> {
    return await this.createFrame(streamId, input)
  }

  /** Many frames, as many in a request as may be; gives what became of each, in order. */
  async *createFrames(
    streamId: string,
    inputs: AsyncIterable<FrameInput> | Iterable<FrameInput>,
  ): AsyncGenerator<FrameResult, void, undefined> {
    let offset = 0
    for await (const lines of batches(inputs)) {
      yield* await this.#createBatch(streamId, lines, offset)
      offset += lines.length
    }
  }

  async #createBatch(streamId: string, lines: readonly string[], offset: number): Promise<readonly FrameResult[]> {
    const path = `${pathOf(streamId)}/frames`
    const response = await this.#connection.ask({ method: 'POST', path, body: lines.join('\n'), type: NDJSON })
    const text = await response.text()
    return text
      .trimEnd()
      .split('\n')
      .flatMap((line) => resultFrom(line, offset) ?? [])
  }

  async getFrame(streamId: string, sequence: bigint): Promise<Frame> {
    return await this.#frame(`${pathOf(streamId)}/frames/${sequence}`)
  }

  /** The frame with the highest sequence; `no_frames` when there is none. */
  async latestFrame(streamId: string): Promise<Frame> {
    return await this.#frame(`${pathOf(streamId)}/latest`)
  }

  /** One page, highest sequence first unless `order` or `after` say otherwise. */
  async listFrames(streamId: string, query: FrameQuery = {}): Promise<Page<Frame>> {
    const { limit, cursor, after, from, to, order, afterSequence, beforeSequence, status } = query
    const response = await this.#connection.ask({
      method: 'GET',
      path: `${pathOf(streamId)}/frames`,
      query: {
        limit,
        cursor,
        after,
        from,
        to,
        order,
        after_sequence: afterSequence,
        before_sequence: beforeSequence,
        status: status?.join(),
      },
    })
    const text = await response.text()
    const { data, nextCursor } = framesFrom(text)
    return { data, nextCursor: text.endsWith('"has_more":false}') ? undefined : nextCursor }
  }

  /** Frames as they are committed, without a gap and without one twice, over reconnects. */
  subscribe(streamId: string, options: SubscribeOptions = {}): AsyncGenerator<LiveFrame, void, undefined> {
    return subscribeTo(this.#connection, streamId, options)
  }

  /** Any other request of the service: its JSON. */
  async request(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const response = await this.#connection.ask({ method, path, body: text })
    return response.status === 204 ? undefined : ((await response.json()) as unknown)
  }

  async #stream(ask: Parameters<Connection['ask']>[0]): Promise<Stream> {
    const response = await this.#connection.ask(ask)
    return streamFrom((await response.json()) as Parameters<typeof streamFrom>[0])
  }

  async #frame(path: string): Promise<Frame> {
    const response = await this.#connection.ask({ method: 'GET', path })
    return frameFrom(await response.text())
  }
}

const pathOf = (streamId: string): string => `/v1/streams/${encodeURIComponent(streamId)}`

async function* batches(inputs: AsyncIterable<FrameInput> | Iterable<FrameInput>): AsyncGenerator<readonly string[]> {
  let lines: string[] = []
  let length = 0
  for await (const input of inputs) {
    const line = frameBody(input)
    if (lines.length === BATCH_FRAMES || (length > 0 && length + line.length > BATCH_BYTES)) {
      yield lines
      lines = []
      length = 0
    }
    lines.push(line)
    length += line.length
  }
  if (lines.length > 0) yield lines
}
