import type { Clock } from '../../core/clock.ts'
import type { AccountChecker } from '../../datastreams/accounts.ts'
import { type ApiKey, parseKey, verifyKey } from '../../datastreams/api-keys.ts'
import type { Store } from '../../datastreams/store.ts'
import type { Credential } from './credential.ts'
import type { Directory } from './directory.ts'

/** Compared with when no key has the id, so that this takes no less time. */
const NOBODY: ApiKey = {
  id: '........',
  name: '',
  tenant: '',
  accounts: [],
  scopes: [],
  streams: [],
  expiresAt: null,
  createdAt: 0,
  secretHash: '0'.repeat(64),
  lastUsedAt: null,
}

export type DirectoryStore = Pick<Store, 'getKey' | 'touchKey' | 'listAccounts'>

/** Keys and accounts of a store. */
export class StoreDirectory implements Directory {
  readonly anonymous: Credential | undefined
  readonly #store: DirectoryStore
  readonly #accounts: AccountChecker
  readonly #pepper: string
  readonly #clock: Clock

  constructor(
    store: DirectoryStore,
    accounts: AccountChecker,
    {
      pepper,
      clock,
      anonymous,
    }: { readonly pepper: string; readonly clock: Clock; readonly anonymous?: Credential | undefined },
  ) {
    this.#store = store
    this.#accounts = accounts
    this.#pepper = pepper
    this.#clock = clock
    this.anonymous = anonymous
  }

  async verify(text: string): Promise<Credential | undefined> {
    const id = parseKey(text)?.id
    const key = id === undefined ? undefined : await this.#store.getKey(id)
    if (!verifyKey(text, key ?? NOBODY, this.#pepper) || key === undefined) return undefined
    const now = Math.floor(this.#clock.nowMicros() / 1000)
    if (key.expiresAt !== null && key.expiresAt <= now) return undefined
    this.#store.touchKey(key.id, now)
    return key
  }

  async tenantOf(account: string): Promise<string | undefined> {
    return (await this.#accounts.exists(account)) ? await this.#accounts.tenantOf(account) : undefined
  }

  async onlyAccount(tenant: string): Promise<string | undefined> {
    const accounts = await this.#store.listAccounts(tenant)
    return accounts.length === 1 ? accounts[0]!.id : undefined
  }
}
