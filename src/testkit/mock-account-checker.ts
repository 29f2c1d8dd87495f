import type { AccountChecker } from '../datastreams/accounts.ts'

/** Accounts by name, for tests; all of the tenant `default`. */
export class MockAccountChecker implements AccountChecker {
  readonly #accounts: ReadonlySet<string>

  constructor(...accounts: readonly string[]) {
    this.#accounts = new Set(accounts)
  }

  async exists(accountId: string): Promise<boolean> {
    return this.#accounts.has(accountId)
  }

  async tenantOf(): Promise<string> {
    return 'default'
  }
}
