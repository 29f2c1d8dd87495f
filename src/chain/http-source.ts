import { parseBytes } from '../core/option-text.ts'
import { freshSeed, Random } from '../core/random.ts'
import { redactText } from '../core/uri.ts'
import { BaseBatchSource, type BatchSourceOptions } from './base-source.ts'
import { decodeBatches, decodeSourceMetadata } from './decode.ts'
import { DatastreamError } from './errors.ts'
import { HttpClient } from './http-client.ts'
import { type Duration, milliseconds } from './polling.ts'
import type { SignalOption } from './source.ts'
import { type Batch, SourceMetadata } from './types.ts'

export interface HttpSourceConfig extends BatchSourceOptions {
  /**
   * Default `http://localhost:8080`. A path is kept in front of `/api/v1/…`; a trailing `/api/v1` or `/api/v1/batches`,
   * or a path that is just `/batches`, is dropped.
   */
  readonly baseUrl?: string | URL | undefined
  /** Sent as `Authorization: Bearer`. */
  readonly apiKey?: string | undefined
  /** Per attempt, whole answer included; default 30 s. */
  readonly timeout?: Duration | undefined
  /** Tries after the first; default 3. */
  readonly maxRetries?: number | undefined
  /** Before the second try; doubled each time up to 60 s, ± 20 %; default 1 s. */
  readonly retryDelay?: Duration | undefined
  /** Bytes, or a text such as `64MiB` (default). */
  readonly maxResponseBytes?: number | string | undefined
  readonly random?: Random | undefined
}

export const DEFAULT_URL = 'http://localhost:8080'

/** Batches of a server: `GET /api/v1/batches[?from=<decimal>]`. */
export class HttpBatchSource extends BaseBatchSource {
  readonly baseUrl: string
  readonly #client: HttpClient
  #metadata: SourceMetadata

  constructor(config: HttpSourceConfig = {}) {
    super(config)
    const { maxRetries = 3, maxResponseBytes = '64MiB', random } = config
    this.baseUrl = baseUrlOf(String(config.baseUrl ?? DEFAULT_URL))
    if (!Number.isSafeInteger(maxRetries) || maxRetries < 0 || maxRetries > 100) {
      throw new DatastreamError('ConfigError', `maxRetries: ${maxRetries} lies outside 0…100`)
    }
    const bytes = typeof maxResponseBytes === 'number' ? maxResponseBytes : parseBytes(maxResponseBytes)
    if (bytes === undefined || !Number.isSafeInteger(bytes) || bytes < 1) {
      throw new DatastreamError('ConfigError', `maxResponseBytes: ${JSON.stringify(maxResponseBytes)} is no size`)
    }
    this.#client = new HttpClient({
      baseUrl: this.baseUrl,
      apiKey: config.apiKey,
      timeoutMs: milliseconds(config.timeout ?? 30_000, 'timeout'),
      maxRetries,
      retryDelayMs: milliseconds(config.retryDelay ?? 1000, 'retryDelay'),
      maxResponseBytes: bytes,
      clock: this.clock,
      random: random ?? new Random(freshSeed()),
    })
    this.#metadata = new SourceMetadata('HTTP Batch Source', '1.0', this.baseUrl, true)
  }

  static fromUrl(url: string | URL): HttpBatchSource {
    return new HttpBatchSource({ baseUrl: url })
  }

  override label(): string {
    return this.baseUrl
  }

  protected fetch(from: bigint | undefined, signal: AbortSignal | undefined): Promise<readonly Batch[]> {
    return this.batchesFrom(from, { signal })
  }

  /** One answer of the server, decoded and nothing more. */
  async batchesFrom(from: bigint | undefined, { signal }: SignalOption = {}): Promise<readonly Batch[]> {
    const query = from === undefined ? '' : `?from=${from}`
    const text = await this.#client.text(`/api/v1/batches${query}`, signal)
    try {
      return decodeBatches(text)
    } catch (error) {
      // Not asked for again here; yet the next answer may be right.
      const { message, path } = error as DatastreamError
      const why = message.replace(/^Serialization error: /, '')
      throw new DatastreamError('SerializationError', why, { code: 'chain_answer_invalid', path, cause: error })
    }
  }

  /** A single attempt. */
  protected override async check(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#client.once('/api/v1/health', signal)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new DatastreamError('SourceUnavailable', why, { cause: error })
    }
  }

  /** What the server said last; its own words before the first answer and after a failure. */
  override async metadata({ signal }: SignalOption = {}): Promise<SourceMetadata> {
    try {
      this.#metadata = decodeSourceMetadata(await this.#client.text('/api/v1/metadata', signal))
    } catch {
      signal?.throwIfAborted()
    }
    return this.#metadata
  }
}

function baseUrlOf(text: string): string {
  let url: URL
  try {
    url = new URL(text)
  } catch (error) {
    throw new DatastreamError('ConfigError', `"${redactText(text)}" is no URL`, { cause: error })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new DatastreamError('ConfigError', `"${url.protocol}" is not http: or https:`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new DatastreamError('ConfigError', 'a URL with user or password is not taken', { hint: 'use apiKey' })
  }
  const path = url.pathname.replace(/\/+$/, '')
  const prefix = path === '/batches' ? '' : path.replace(/\/api\/v1(\/batches)?$/, '')
  return `${url.origin}${prefix}`
}
