import { freshSeed, Random } from '../core/random.ts'
import { retry } from '../core/retry.ts'
import { redactText } from '../core/uri.ts'
import { BaseBatchSource, type BatchSourceOptions } from './base-source.ts'
import { DatastreamError } from './errors.ts'
import { HttpBatchSource } from './http-source.ts'
import { type Duration, milliseconds } from './polling.ts'
import { type Batch, SourceMetadata } from './types.ts'
import { BatchConnection } from './websocket-connection.ts'

export interface WebSocketSourceConfig extends BatchSourceOptions {
  readonly url: string | URL
  /** Where batches that the subscription left out are asked for; without it they are subscribed to again. */
  readonly httpUrl?: string | URL | undefined
  readonly apiKey?: string | undefined
  /** For the handshake; default 30 s. */
  readonly timeout?: Duration | undefined
  /** Tries to connect after the first; default 3. */
  readonly maxRetries?: number | undefined
  readonly retryDelay?: Duration | undefined
  /** Silence after which the server is pinged; default 30 s. */
  readonly pingAfter?: Duration | undefined
  readonly random?: Random | undefined
}

const FRAME_BYTES = 64 * 1024 * 1024

/** Batches that a server pushes; `next()` waits up to `pollInterval` for one. */
export class WebSocketBatchSource extends BaseBatchSource {
  readonly url: string
  readonly #config: WebSocketSourceConfig
  readonly #random: Random
  readonly #http: HttpBatchSource | undefined
  #connection: BatchConnection | undefined
  /** What the subscription gives next, as far as it keeps its order; undefined: its beginning. */
  #expected: bigint | undefined

  constructor(config: WebSocketSourceConfig) {
    super(config)
    this.url = urlOf(String(config.url))
    this.#config = config
    this.#random = config.random ?? new Random(freshSeed())
    const { httpUrl, timeout, maxRetries, retryDelay, apiKey } = config
    if (httpUrl !== undefined) {
      const { clock } = this
      this.#http = new HttpBatchSource({
        baseUrl: httpUrl,
        timeout,
        maxRetries,
        retryDelay,
        apiKey,
        clock,
        random: this.#random,
      })
    }
  }

  override label(): string {
    return this.url
  }

  protected async fetch(from: bigint | undefined, signal: AbortSignal | undefined): Promise<readonly Batch[]> {
    if (this.#connection !== undefined && from !== this.#expected) {
      const behind = await this.#overHttp(from, signal)
      if (behind.length > 0) return behind
      this.#disconnect()
    }
    const batches = await this.#overSocket(from, signal)
    const first = batches[0]
    if (first === undefined) return batches
    const last = batches.at(-1)!.id.number
    this.#expected = from !== undefined && last < from ? from : last + 1n
    if (from === undefined || first.id.number <= from) return batches
    // The subscription left some out.
    const hole = await this.#overHttp(from, signal)
    return [...hole.filter(({ id }) => id.number < first.id.number), ...batches]
  }

  async #overHttp(from: bigint | undefined, signal: AbortSignal | undefined): Promise<readonly Batch[]> {
    return this.#http === undefined ? [] : await this.#http.batchesFrom(from, { signal })
  }

  async #overSocket(from: bigint | undefined, signal: AbortSignal | undefined): Promise<readonly Batch[]> {
    const { maxRetries = 3, retryDelay = 1000 } = this.#config
    const task = async (): Promise<readonly Batch[] | DatastreamError> => {
      if (this.#connection?.isOpen !== true) await this.#drain(from, signal)
      try {
        return await this.#connection!.take(this.pollIntervalMs, signal)
      } catch (error) {
        // A bad frame is told, not tried again: the connection goes on behind it.
        if (error instanceof DatastreamError && error.kind === 'DeserializationError') return error
        throw error
      }
    }
    const taken = await retry(task, {
      policy: {
        strategy: 'exponential',
        initialMs: milliseconds(retryDelay, 'retryDelay'),
        maxMs: 60_000,
        multiplier: 2,
        jitter: 0.2,
        attempts: maxRetries + 1,
      },
      clock: this.clock,
      random: this.#random,
      signal,
    })
    if (taken instanceof DatastreamError) throw taken
    return taken
  }

  /** A connection: what a cut one still holds comes first. */
  async #drain(from: bigint | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (this.#connection?.hasItems === true) return
    this.#disconnect()
    const { apiKey, timeout = 30_000, pingAfter = 30_000 } = this.#config
    this.#connection = await BatchConnection.open(
      {
        url: this.url,
        apiKey,
        timeoutMs: milliseconds(timeout, 'timeout'),
        silenceMs: milliseconds(pingAfter, 'pingAfter'),
        maxFrameBytes: FRAME_BYTES,
        clock: this.clock,
      },
      from,
      signal,
    )
    this.#expected = from
  }

  #disconnect(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  protected override async check(signal: AbortSignal | undefined): Promise<void> {
    if (this.#connection?.isOpen === true) return
    const { apiKey, timeout = 30_000 } = this.#config
    const timeoutMs = milliseconds(timeout, 'timeout')
    try {
      const options = { url: this.url, apiKey, timeoutMs, silenceMs: timeoutMs, maxFrameBytes: FRAME_BYTES }
      const probe = await BatchConnection.open({ ...options, clock: this.clock }, undefined, signal)
      probe.close()
    } catch (error) {
      signal?.throwIfAborted()
      const why = error instanceof Error ? error.message : String(error)
      throw new DatastreamError('SourceUnavailable', why, { cause: error })
    }
  }

  override async metadata(): Promise<SourceMetadata> {
    return new SourceMetadata('WebSocket Batch Source', '1.0', this.url, true)
  }

  override async close(): Promise<void> {
    this.#disconnect()
  }
}

function urlOf(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch (error) {
    throw new DatastreamError('ConfigError', `"${redactText(text)}" is no URL`, { cause: error })
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:') {
    throw new DatastreamError('ConfigError', `"${url.protocol}" is not ws: or wss:`)
  }
  if (url.password !== '')
    throw new DatastreamError('ConfigError', 'a URL with a password is not taken', { hint: 'use apiKey' })
  return url.href
}
