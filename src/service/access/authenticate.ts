import { refusal } from '../http/problem.ts'
import type { Route } from '../route.ts'
import type { Services } from '../services.ts'
import type { Credential } from './credential.ts'

/** Of routes that need none. */
export const OPEN: Credential = { tenant: '', accounts: [], scopes: [], streams: null, id: 'open' }

/** Who asks. Throws `unauthorized`. */
export async function credentialOf(
  { directory }: Services,
  route: Route,
  authorization: string | undefined,
  _token: string | undefined,
  _stream: string | undefined,
): Promise<Credential> {
  if (authorization === undefined) {
    if (directory.anonymous !== undefined) return directory.anonymous
    throw refusal('unauthorized', 'a credential is required')
  }
  const text = /^bearer +(\S+) *$/i.exec(authorization)?.[1]
  const credential = text === undefined ? undefined : await directory.verify(text)
  if (credential === undefined) throw refusal('unauthorized', 'the credential is not valid')
  return credential
}
