import { createHash } from 'node:crypto'
import { refusal } from '../http/problem.ts'
import type { Signer } from './signer.ts'

/** Where a list goes on. `scope`: what it is a cursor of; of another one it is not valid. */
export interface Cursor {
  readonly scope: string
  readonly values: readonly [bigint] | readonly [bigint, string]
}

const PREFIX = 'c1'
const SCOPE_BYTES = 9

/** Signed and bound to its scope: `c1.<base64url>.<signature>` (streams-service.md §3.3). */
export function cursorText(signer: Signer, { scope, values: [number, text = ''] }: Cursor): string {
  const bytes = Buffer.alloc(SCOPE_BYTES + 8 + Buffer.byteLength(text))
  scopeHash(scope).copy(bytes)
  bytes.writeBigInt64BE(number, SCOPE_BYTES)
  bytes.write(text, SCOPE_BYTES + 8)
  return signer.seal(PREFIX, bytes)
}

/** Throws `invalid_cursor` for one that is changed, of another list or of another server. */
export function readCursor(signer: Signer, scope: string, text: string): readonly [bigint, string] {
  const bytes = signer.open(PREFIX, text)
  if (
    bytes === undefined ||
    bytes.length < SCOPE_BYTES + 8 ||
    !bytes.subarray(0, SCOPE_BYTES).equals(scopeHash(scope))
  ) {
    throw refusal('invalid_cursor', 'the cursor is not one of this list')
  }
  return [bytes.readBigInt64BE(SCOPE_BYTES), bytes.toString('utf8', SCOPE_BYTES + 8)]
}

/** The scope of positions: live reading and lists in the order of commits share it. */
export const positionScope = (streamId: string): string => `position ${streamId}`

const scopes = new Map<string, Buffer>()
const SCOPES_KEPT = 1000

function scopeHash(scope: string): Buffer {
  const known = scopes.get(scope)
  if (known !== undefined) return known
  if (scopes.size >= SCOPES_KEPT) scopes.clear()
  const hash = createHash('sha256').update(scope).digest().subarray(0, SCOPE_BYTES)
  scopes.set(scope, hash)
  return hash
}
