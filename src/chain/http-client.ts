import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import { retry } from '../core/retry.ts'
import { DatastreamError, httpError } from './errors.ts'

export interface HttpClientOptions {
  readonly baseUrl: string
  readonly apiKey: string | undefined
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly retryDelayMs: number
  readonly maxResponseBytes: number
  readonly clock: Clock
  readonly random: Random
}

/** Bytes of a refusal that its error shows. */
const REFUSAL_BYTES = 2048
const RETRY_AFTER_MAX_MS = 300_000

/** GET requests below one base URL. */
export class HttpClient {
  readonly #options: HttpClientOptions

  constructor(options: HttpClientOptions) {
    this.#options = options
  }

  /** The text of a successful answer; tried again after what may pass. */
  async text(path: string, signal: AbortSignal | undefined): Promise<string> {
    const { maxRetries, retryDelayMs, clock, random } = this.#options
    return await retry(() => this.once(path, signal), {
      policy: {
        strategy: 'exponential',
        initialMs: retryDelayMs,
        maxMs: 60_000,
        multiplier: 2,
        jitter: 0.2,
        attempts: maxRetries + 1,
      },
      clock,
      random,
      signal,
      askedMs: (error) => (error instanceof DatastreamError ? error.retryAfterMs : undefined),
    })
  }

  /** One attempt; the time limit covers the whole answer. */
  async once(path: string, signal: AbortSignal | undefined): Promise<string> {
    signal?.throwIfAborted()
    const { timeoutMs, clock, apiKey, baseUrl } = this.#options
    const request = new AbortController()
    const done = new AbortController()
    let timedOut = false
    const onAbort = (): void => request.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    void clock.sleep(timeoutMs, done.signal).then(() => {
      if (done.signal.aborted) return
      timedOut = true
      request.abort()
    })
    try {
      const headers = {
        accept: 'application/json',
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      }
      const response = await fetch(`${baseUrl}${path}`, { headers, signal: request.signal })
      return await this.#answer(response)
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      if (timedOut)
        throw new DatastreamError('TimeoutError', `${baseUrl}${path}: no whole answer within ${timeoutMs} ms`)
      if (error instanceof DatastreamError) throw error
      throw new DatastreamError('NetworkError', `${baseUrl}${path}: ${reasonOf(error)}`, { cause: error })
    } finally {
      done.abort()
      signal?.removeEventListener('abort', onAbort)
      // What is left of the answer is not read.
      request.abort()
    }
  }

  async #answer(response: Response): Promise<string> {
    const { maxResponseBytes, clock } = this.#options
    if (response.ok) return textOf(await bytesOf(response, maxResponseBytes))
    const head = await bytesOf(response, REFUSAL_BYTES, 'cut').catch(() => new Uint8Array(0))
    const body = Buffer.from(head).toString('utf8').trim()
    const status = [response.statusText, body].filter((part) => part !== '').join(': ')
    throw httpError(response.status, status, retryAfter(response.headers.get('retry-after'), clock))
  }
}

/** The body up to `most` bytes: a longer one is refused, or cut. */
async function bytesOf(response: Response, most: number, longer: 'refuse' | 'cut' = 'refuse'): Promise<Uint8Array> {
  const announced = Number(response.headers.get('content-length') ?? 0)
  if (announced > most && longer === 'refuse') throw tooLarge(most)
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    length += chunk.length
    if (length < most || (length === most && longer === 'refuse')) continue
    if (longer === 'refuse') throw tooLarge(most)
    break
  }
  return Buffer.concat(chunks).subarray(0, longer === 'cut' ? most : length)
}

const tooLarge = (most: number): DatastreamError =>
  new DatastreamError('SerializationError', `the answer is larger than ${most} bytes`, {
    hint: 'raise maxResponseBytes, or let the server answer with fewer batches',
  })

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new DatastreamError('SerializationError', 'the answer is not UTF-8', { cause: error })
  }
}

/** Milliseconds of a `Retry-After` header, at most 5 minutes. */
function retryAfter(header: string | null, clock: Clock): number | undefined {
  if (header === null) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.nowMicros() / 1000
  return Number.isNaN(ms) ? undefined : Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms))
}

/** What the system says behind the general words of `fetch`. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: { message?: string; code?: string } }
  const inner = cause?.message === '' ? cause.code : cause?.message
  return inner ?? (error instanceof Error ? error.message : String(error))
}
