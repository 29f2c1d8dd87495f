import { type Clock, systemClock } from '../core/clock.ts'
import { freshSeed, Random } from '../core/random.ts'
import { RETRY_DEFAULTS, type RetryPolicy, retry } from '../core/retry.ts'
import { errorOf, StreamsClientError } from './client-error.ts'
import type { ClientOptions } from './types.ts'

const ATTEMPTS = 5
const TIMEOUT_MS = 30_000

export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | bigint | undefined>> | undefined
  readonly body?: string | undefined
  readonly type?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

/** Requests to one service, with the caller's credential. */
export class Connection {
  readonly clock: Clock
  readonly random = new Random(freshSeed())
  readonly #options: ClientOptions
  readonly #base: string
  readonly #policy: RetryPolicy
  readonly #fetch: typeof fetch

  constructor(options: ClientOptions) {
    this.#options = options
    this.#base = String(options.baseUrl).replace(/\/+$/, '')
    this.clock = options.clock ?? systemClock
    this.#policy = { ...RETRY_DEFAULTS, attempts: ATTEMPTS, ...options.retry }
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init))
  }

  /** The answer of success, asked for again while that may help. A request that writes has one key for all tries. */
  async ask(ask: Ask): Promise<Response> {
    const writes = ask.method === 'POST' || ask.method === 'PATCH'
    const keyed = writes ? { 'idempotency-key': crypto.randomUUID(), ...ask.headers } : ask.headers
    let tries = 0
    return await retry(
      async () => {
        tries++
        try {
          return await this.once({ ...ask, headers: keyed })
        } catch (error) {
          throw afterTry(error, ask, tries)
        }
      },
      {
        policy: this.#policy,
        clock: this.clock,
        random: this.random,
        signal: ask.signal,
        askedMs: (error) => (error instanceof StreamsClientError ? error.retryAfterMs : undefined),
      },
    )
  }

  /** One try. `forever`: the body goes on, only its head has a time limit. */
  async once(ask: Ask, { forever = false }: { readonly forever?: boolean } = {}): Promise<Response> {
    const { apiKey, account, tenant, timeoutMs = TIMEOUT_MS } = this.#options
    const limit = new AbortController()
    const done = new AbortController()
    void this.clock.sleep(timeoutMs, done.signal).then(() => {
      if (!done.signal.aborted) limit.abort(new Error('timeout'))
    })
    const signals = ask.signal === undefined ? [limit.signal] : [limit.signal, ask.signal]
    try {
      const response = await this.#fetch(this.#url(ask), {
        method: ask.method,
        headers: {
          ...(ask.body === undefined ? {} : { 'content-type': ask.type ?? 'application/json' }),
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          ...(account === undefined ? {} : { 'x-account-id': account }),
          ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
          ...ask.headers,
        },
        signal: AbortSignal.any(signals),
        ...(ask.body === undefined ? {} : { body: ask.body }),
      })
      if (!response.ok) throw await errorOf(response)
      if (forever) return response
      // Read inside the limit; answers have at most a page.
      const text = response.status === 204 ? null : await response.text()
      return new Response(text, { status: response.status, headers: response.headers })
    } catch (error) {
      if (error instanceof StreamsClientError || ask.signal?.aborted === true) throw error
      const code = limit.signal.aborted ? 'timeout' : 'unavailable'
      throw new StreamsClientError(code, `${this.#base} does not answer`, { status: 0, cause: error })
    } finally {
      done.abort()
    }
  }

  #url({ path, query = {} }: Ask): string {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value))
    const { accessToken } = this.#options
    if (accessToken !== undefined) parameters.set('access_token', accessToken)
    const text = parameters.toString()
    return `${this.#base}${path}${text === '' ? '' : `?${text}`}`
  }
}

/** What a fault means after several tries of the same request. */
function afterTry(error: unknown, { method }: Ask, tries: number): unknown {
  if (!(error instanceof StreamsClientError)) return error
  // The try before is still at work: its answer comes under the same key.
  if (error.code === 'request_in_progress' && tries > 1) {
    return new StreamsClientError('unavailable', error.message, { status: error.status, cause: error })
  }
  if (method === 'DELETE' && tries > 1 && error.code === 'not_found') {
    return new StreamsClientError('not_found', 'gone: by an earlier try, or before', { status: 404, cause: error })
  }
  return error
}
