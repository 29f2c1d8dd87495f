import { WebSocket } from 'ws'
import type { Clock } from '../core/clock.ts'
import { batchOf, readJson } from './decode.ts'
import { DatastreamError } from './errors.ts'
import { type Json, type JsonObject, parseExact } from './json-text.ts'
import type { Batch } from './types.ts'

export interface ConnectionOptions {
  readonly url: string
  readonly apiKey: string | undefined
  /** For the handshake. */
  readonly timeoutMs: number
  /** A silent connection is pinged after that long, and given up after as long again. */
  readonly silenceMs: number
  readonly maxFrameBytes: number
  readonly clock: Clock
}

/** Batches, and characters of their frames, held for the reader; beyond either the socket is not read. */
const WAITING_MAX = 64
const WAITING_CHARACTERS_MAX = 64 * 1024 * 1024

type Item = ({ readonly batch: Batch } | { readonly error: DatastreamError }) & { readonly length: number }

/** One subscription over one socket. What came before it was cut is still given. */
export class BatchConnection {
  readonly #socket: WebSocket
  readonly #options: ConnectionOptions
  readonly #closed = new AbortController()
  #failure: DatastreamError | undefined
  #items: Item[] = []
  #characters = 0
  #changed = Promise.withResolvers<void>()
  /** Grows with everything that comes. */
  #heard = 0

  private constructor(socket: WebSocket, options: ConnectionOptions) {
    this.#socket = socket
    this.#options = options
  }

  /** Opens a socket and subscribes, from a number or from the beginning. */
  static async open(
    options: ConnectionOptions,
    from: bigint | undefined,
    signal: AbortSignal | undefined,
  ): Promise<BatchConnection> {
    signal?.throwIfAborted()
    const headers = options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` }
    const socket = new WebSocket(options.url, {
      headers,
      maxPayload: options.maxFrameBytes,
      perMessageDeflate: false,
      followRedirects: false,
    })
    const connection = new BatchConnection(socket, options)
    connection.#listen()
    await connection.#opened(signal)
    const params = from === undefined ? [] : [{ from: String(from) }]
    socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'cdk_subscribeBatches', params, id: 1 }))
    void connection.#watch()
    return connection
  }

  get isOpen(): boolean {
    return !this.#closed.signal.aborted
  }

  get hasItems(): boolean {
    return this.#items.length > 0
  }

  async #opened(signal: AbortSignal | undefined): Promise<void> {
    const { timeoutMs, clock, url } = this.#options
    const opened = Promise.withResolvers<void>()
    const done = new AbortController()
    const onAbort = (): void => opened.reject(signal?.reason)
    this.#socket.once('open', () => opened.resolve())
    this.#closed.signal.addEventListener('abort', () => opened.reject(this.#failure))
    signal?.addEventListener('abort', onAbort, { once: true })
    void clock.sleep(timeoutMs, done.signal).then(() => {
      if (done.signal.aborted) return
      opened.reject(new DatastreamError('ConnectionError', `${url}: no handshake within ${timeoutMs} ms`))
    })
    try {
      await opened.promise
    } catch (error) {
      this.close()
      if (signal?.aborted === true || !(error instanceof DatastreamError)) throw error
      const why = error.message.replace(/^\w+ error: /, '')
      throw new DatastreamError('ConnectionError', why, { cause: error.cause })
    } finally {
      done.abort()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #listen(): void {
    const { url } = this.#options
    const socket = this.#socket
    socket.on('message', (data: Buffer | ArrayBuffer | Buffer[]) => this.#take(textOf(data)))
    socket.on('ping', () => this.#heard++)
    socket.on('pong', () => this.#heard++)
    socket.on('error', (error) => {
      this.#fail(new DatastreamError('CommunicationError', `${url}: ${error.message}`, { cause: error }))
    })
    socket.on('close', (code) => {
      this.#fail(new DatastreamError('CommunicationError', `${url}: the connection was closed (${code})`))
    })
  }

  #fail(error: DatastreamError): void {
    if (!this.isOpen) return
    this.#failure = error
    this.#closed.abort()
    this.#notify()
  }

  #take(text: string): void {
    this.#heard++
    try {
      const message = parseExact(text, 'DeserializationError')
      const batch = readJson(message, batchIn, 'DeserializationError')
      if (batch === undefined) return
      this.#hold({ batch, length: text.length })
    } catch (error) {
      if (!(error instanceof DatastreamError)) throw error
      if (error.kind === 'CommunicationError') this.#fail(error)
      else this.#hold({ error, length: text.length })
    }
    this.#notify()
  }

  #hold(item: Item): void {
    this.#items.push(item)
    this.#characters += item.length
    if (this.#items.length >= WAITING_MAX || this.#characters >= WAITING_CHARACTERS_MAX) this.#socket.pause()
  }

  #notify(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  /**
   * The batches that have come, or the error in front of them; waits up to `waitMs` for the first. Throws why the
   * connection ended when nothing is left.
   */
  async take(waitMs: number, signal: AbortSignal | undefined): Promise<readonly Batch[]> {
    if (this.#items.length === 0 && this.isOpen) await this.#wait(waitMs, signal)
    signal?.throwIfAborted()
    const bad = this.#items.findIndex((item) => 'error' in item)
    const taken = this.#items.splice(0, bad === 0 ? 1 : bad < 0 ? this.#items.length : bad)
    for (const { length } of taken) this.#characters -= length
    const hasRoom = this.#items.length < WAITING_MAX / 2 && this.#characters < WAITING_CHARACTERS_MAX / 2
    if (hasRoom && this.#socket.isPaused) this.#socket.resume()
    const [first] = taken
    if (first !== undefined && 'error' in first) throw first.error
    if (first === undefined && this.#failure !== undefined) throw this.#failure
    return taken.flatMap((item) => ('batch' in item ? [item.batch] : []))
  }

  async #wait(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    const done = new AbortController()
    const onAbort = (): void => done.abort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([this.#changed.promise, this.#options.clock.sleep(waitMs, done.signal)])
    } finally {
      done.abort()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Pings after silence; a second silence ends the connection. While the socket is not read nothing can be heard. */
  async #watch(): Promise<void> {
    const { silenceMs, clock, url } = this.#options
    let pinged = false
    while (this.isOpen) {
      const before = this.#heard
      await clock.sleep(silenceMs, this.#closed.signal)
      if (!this.isOpen) return
      if (this.#heard !== before || this.#socket.isPaused) pinged = false
      else if (pinged) {
        this.#fail(new DatastreamError('CommunicationError', `${url}: silent for ${2 * silenceMs} ms`))
        this.#socket.terminate()
      } else {
        this.#socket.ping()
        pinged = true
      }
    }
  }

  close(): void {
    this.#fail(new DatastreamError('CommunicationError', 'closed'))
    this.#socket.terminate()
  }
}

const textOf = (data: Buffer | ArrayBuffer | Buffer[]): string =>
  (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as ArrayBuffer)).toString('utf8')

/** A batch, bare or under `params.result`; undefined for the acknowledgement of the subscription. */
function batchIn(message: Json): Batch | undefined {
  const object = (typeof message === 'object' && !Array.isArray(message) ? message : undefined) as
    | JsonObject
    | undefined
  if (object?.['id'] === 1) {
    const error = object['error'] as JsonObject | undefined
    if (error === undefined || error === null) return undefined
    const text = typeof error['message'] === 'string' ? error['message'] : JSON.stringify(String(error))
    throw new DatastreamError('CommunicationError', `the subscription was refused: ${text}`)
  }
  const params = object?.['params'] as JsonObject | undefined
  return batchOf(params?.['result'] ?? message)
}
