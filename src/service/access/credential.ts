import type { Scope } from '../../datastreams/api-keys.ts'
import { refusal } from '../http/problem.ts'

/** Who asks, and what he may (streams-service.md §2). */
export interface Credential {
  readonly tenant: string
  /** Null: all accounts of the tenant. */
  readonly accounts: readonly string[] | null
  /** `admin` implies all. */
  readonly scopes: readonly string[]
  /** Null: all streams of the accounts. */
  readonly streams: readonly string[] | null
  /** Names the credential in logs; no secret. */
  readonly id: string
}

/** Throws `insufficient_scope`. */
export function demandScope({ scopes }: Credential, scope: Scope): void {
  if (scopes.includes(scope) || scopes.includes('admin')) return
  throw refusal('insufficient_scope', `the credential lacks the scope ${scope}`)
}

/** `X-Tenant-ID` says the tenant that the caller believes to act in. Throws `forbidden`. */
export function demandTenant({ tenant }: Credential, header: string | undefined, required: boolean): void {
  if (header === undefined || header === '') {
    if (required) throw refusal('forbidden', 'forbidden: tenant required')
    return
  }
  if (header !== tenant) throw refusal('forbidden', 'forbidden: tenant mismatch')
}
