/** Who may own streams: another service says so, or a table of this one (streams-service.md §2). */
export interface AccountChecker {
  exists(accountId: string): Promise<boolean>
  /** The tenant of an account that exists. */
  tenantOf(accountId: string): Promise<string>
}
