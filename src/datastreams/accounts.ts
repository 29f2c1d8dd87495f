/** Who may own streams: another service says so, or a table of this one (streams-service.md §2). */
export interface AccountChecker {
  exists(accountId: string): Promise<boolean>
  /** The tenant of an account that exists. */
  tenantOf(accountId: string): Promise<string>
}

export interface Account {
  readonly id: string
  readonly tenant: string
  readonly name: string
  /** Milliseconds since 1970, UTC. */
  readonly createdAt: number
}

/** The part of a store that is asked. */
export interface AccountTable {
  getAccount(id: string): Promise<Account | undefined>
}

/** The table of accounts that a store keeps. */
export class StoreAccounts implements AccountChecker {
  readonly #store: AccountTable

  constructor(store: AccountTable) {
    this.#store = store
  }

  async exists(accountId: string): Promise<boolean> {
    return (await this.#store.getAccount(accountId)) !== undefined
  }

  async tenantOf(accountId: string): Promise<string> {
    return (await this.#store.getAccount(accountId))?.tenant ?? ''
  }
}
