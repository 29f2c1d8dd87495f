import { createHash } from '../core/crypto.ts'
import type { Fill } from '../core/uuid7.ts'

export const SCOPES = [
  'streams:read',
  'streams:append',
  'streams:admin',
  'accounts:admin',
  'bus:push',
  'metrics:read',
  'admin',
] as const
/** `admin` implies all others within the tenant. */
export type Scope = (typeof SCOPES)[number]

/** A key as it is kept: of the secret only a hash (streams-service.md §2). */
export interface ApiKey {
  /** The 8 visible characters. */
  readonly id: string
  readonly name: string
  readonly tenant: string
  /** Null: all of the tenant. */
  readonly accounts: readonly string[] | null
  readonly scopes: readonly Scope[]
  /** Null: every stream of the accounts. */
  readonly streams: readonly string[] | null
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
  readonly createdAt: number
  /** SHA-256 of the pepper and the secret, hexadecimal. */
  readonly secretHash: string
  readonly lastUsedAt: number | null
}

export type ApiKeyFields = Omit<ApiKey, 'id' | 'secretHash' | 'lastUsedAt'>

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const ID_LENGTH = 8
const SECRET_LENGTH = 43
const FORM = /^hr_([0-9A-Za-z]{8})_([0-9A-Za-z]{43})$/

/** A new key and its text, which nobody can get again. */
export function createKey(
  fields: ApiKeyFields,
  pepper: string,
  fill: Fill = (bytes) => void crypto.getRandomValues(bytes),
): { readonly key: ApiKey; readonly text: string } {
  const id = drawn(ID_LENGTH, fill)
  const secret = drawn(SECRET_LENGTH, fill)
  const key: ApiKey = { ...fields, id, secretHash: hashOf(secret, pepper), lastUsedAt: null }
  return { key, text: `hr_${id}_${secret}` }
}

/** The parts of `hr_<8>_<43>`; undefined for any other text. */
export function parseKey(text: string): { readonly id: string; readonly secret: string } | undefined {
  const match = FORM.exec(text)
  return match === null ? undefined : { id: match[1]!, secret: match[2]! }
}

/** Whether the text is that key's; how long it takes says nothing about how much of it is right. */
export function verifyKey(text: string, stored: ApiKey, pepper: string): boolean {
  const parts = parseKey(text)
  const given = hashOf(parts?.secret ?? '', pepper)
  let difference = parts?.id === stored.id && given.length === stored.secretHash.length ? 0 : 1
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ stored.secretHash.charCodeAt(i)
  return difference === 0
}

export const hashOf = (secret: string, pepper: string): string =>
  createHash('sha256').update(`${pepper.length}:${pepper}${secret}`).digest('hex')

/** Letters and digits, each as likely as the others. */
function drawn(length: number, fill: Fill): string {
  let text = ''
  const bytes = new Uint8Array(64)
  const fair = 256 - (256 % ALPHABET.length)
  while (text.length < length) {
    fill(bytes)
    for (const byte of bytes) if (byte < fair && text.length < length) text += ALPHABET[byte % ALPHABET.length]
  }
  return text
}
