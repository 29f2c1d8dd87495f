import { refusal } from '../http/problem.ts'
import type { Route } from '../route.ts'
import type { Services } from '../services.ts'
import type { Credential } from './credential.ts'
import { tokenCredential } from './tokens.ts'

/** Of routes that need none. */
export const OPEN: Credential = { tenant: '', accounts: [], scopes: [], streams: null, id: 'open' }

/** Who asks: by a key, by a token where the route takes one. Throws `unauthorized`. */
export async function credentialOf(
  { directory, signer, clock }: Services,
  route: Route,
  given: { readonly authorization: string | undefined; readonly token: string | undefined },
): Promise<Credential> {
  const { authorization, token } = given
  if (authorization !== undefined) {
    const text = /^bearer +(\S+) *$/i.exec(authorization)?.[1]
    const credential = text === undefined ? undefined : await directory.verify(text)
    if (credential !== undefined) return credential
    throw refusal('unauthorized', 'the credential is not valid')
  }
  if (token !== undefined && route.token === true) {
    return tokenCredential(signer, token, Math.floor(clock.nowMicros() / 1000))
  }
  if (directory.anonymous !== undefined) return directory.anonymous
  throw refusal('unauthorized', 'a credential is required')
}
