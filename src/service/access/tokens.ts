import { refusal } from '../http/problem.ts'
import type { Credential } from './credential.ts'
import type { Signer } from './signer.ts'

const PREFIX = 'ht1'
/** How long a token can live, in seconds (streams-service.md §2). */
export const TOKEN_SECONDS_MAX = 3600

/** What a token says: one stream may be read until then. */
interface TokenBody {
  readonly tenant: string
  readonly account: string
  readonly stream: string
  readonly key: string
  /** Milliseconds since 1970. */
  readonly until: number
}

export const tokenText = (signer: Signer, body: TokenBody): string =>
  signer.seal(PREFIX, Buffer.from(JSON.stringify(body)))

/** What the bearer of a token may. Throws `unauthorized` for one that is changed, foreign or over. */
export function tokenCredential(signer: Signer, text: string, now: number): Credential {
  const bytes = signer.open(PREFIX, text)
  const body = bytes === undefined ? undefined : (JSON.parse(bytes.toString('utf8')) as TokenBody)
  if (body === undefined || body.until <= now) throw refusal('unauthorized', 'the token is not valid')
  const { tenant, account, stream, key } = body
  return { tenant, accounts: [account], scopes: ['streams:read'], streams: [stream], id: key }
}
