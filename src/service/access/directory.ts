import type { Credential } from './credential.ts'

/** Where credentials and accounts are looked up. */
export interface Directory {
  /** The credential that the text of a key stands for; undefined when it is unknown, wrong or expired. */
  verify(text: string): Promise<Credential | undefined>
  /** The credential of a request without one; undefined: it is refused. */
  readonly anonymous: Credential | undefined
  /** The tenant of an account; undefined when there is none of that name. */
  tenantOf(account: string): Promise<string | undefined>
  /** The only account of a tenant; undefined when it has none or several. */
  onlyAccount(tenant: string): Promise<string | undefined>
}
