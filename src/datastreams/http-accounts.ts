import { type Clock, systemClock } from '../core/clock.ts'
import type { AccountChecker } from './accounts.ts'
import { ServiceUnavailableError } from './errors.ts'

export interface HttpAccountsOptions {
  /** `GET <url>/<account>` answers 200 with `{"tenant": …}`, or 404. */
  readonly url: string | URL
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** How long an answer holds; default 60,000. */
  readonly cacheMs?: number | undefined
  readonly timeoutMs?: number | undefined
  readonly clock?: Clock | undefined
  readonly fetch?: typeof fetch | undefined
}

/** Answers that are kept at once. */
const CACHED_MAX = 100_000

interface Answer {
  readonly at: number
  /** Undefined: there is no such account. */
  readonly tenant: Promise<string | undefined>
}

/** Accounts that another service knows; both answers are believed for a minute. */
export class HttpAccounts implements AccountChecker {
  readonly #base: string
  readonly #options: HttpAccountsOptions
  readonly #clock: Clock
  readonly #answers = new Map<string, Answer>()

  constructor(options: HttpAccountsOptions) {
    this.#base = String(options.url).replace(/\/+$/, '')
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  async exists(accountId: string): Promise<boolean> {
    return (await this.#tenant(accountId)) !== undefined
  }

  async tenantOf(accountId: string): Promise<string> {
    return (await this.#tenant(accountId)) ?? ''
  }

  #tenant(accountId: string): Promise<string | undefined> {
    const now = this.#clock.elapsedMs()
    const known = this.#answers.get(accountId)
    if (known !== undefined && now - known.at < (this.#options.cacheMs ?? 60_000)) return known.tenant
    const tenant = this.#ask(accountId)
    this.#answers.delete(accountId)
    if (this.#answers.size >= CACHED_MAX) this.#answers.delete(this.#answers.keys().next().value!)
    this.#answers.set(accountId, { at: now, tenant })
    // A failure is no answer: the next call asks again.
    tenant.catch(() => {
      if (this.#answers.get(accountId)?.tenant === tenant) this.#answers.delete(accountId)
    })
    return tenant
  }

  async #ask(accountId: string): Promise<string | undefined> {
    const { headers = {}, timeoutMs = 5000, fetch: ask = fetch } = this.#options
    let answer: Response
    try {
      answer = await ask(`${this.#base}/${encodeURIComponent(accountId)}`, {
        headers: { accept: 'application/json', ...headers },
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (answer.status === 404) return undefined
      if (answer.ok) {
        const { tenant } = (await answer.json()) as { readonly tenant?: unknown }
        if (typeof tenant === 'string' && tenant !== '') return tenant
      }
    } catch (cause) {
      throw new ServiceUnavailableError('the service of accounts does not answer', { cause: String(cause) })
    }
    throw new ServiceUnavailableError(`the service of accounts answers ${answer.status} without a tenant`)
  }
}
