import { NotFoundError } from '../../datastreams/errors.ts'
import { refusal } from '../http/problem.ts'
import type { Credential } from './credential.ts'
import type { Directory } from './directory.ts'

/**
 * The account of a request: of the path, else the header, else the body, else the only one of the credential
 * (streams-service.md §2). Unknown ones and those of other tenants are the same 404.
 */
export async function accountOf(
  credential: Credential,
  directory: Directory,
  named: string | undefined,
): Promise<string> {
  const account = named?.trim() ?? ''
  if (account === '') return await onlyAccount(credential, directory)
  const { accounts, tenant } = credential
  // Most credentials name their accounts, and those were there when it was made.
  if (accounts?.includes(account) === true) return account
  if ((await directory.tenantOf(account)) !== tenant) throw new NotFoundError(`account ${account} not found`)
  if (accounts !== null) throw refusal('forbidden', `forbidden: the credential may not use account ${account}`)
  return account
}

async function onlyAccount({ accounts, tenant }: Credential, directory: Directory): Promise<string> {
  const only = accounts === null ? await directory.onlyAccount(tenant) : accounts.length === 1 ? accounts[0] : undefined
  if (only !== undefined) return only
  throw refusal('validation', 'account_id: is required', {
    errors: [{ pointer: '/account_id', code: 'required', detail: 'is required' }],
  })
}
