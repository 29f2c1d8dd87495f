import type { Clock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { createKey, hashOf, parseKey } from '../datastreams/api-keys.ts'
import type { Store } from '../datastreams/store.ts'
import type { Settings } from './config/spec.ts'

const nowMs = (clock: Clock): number => Math.floor(clock.nowMicros() / 1000)

/** The account of development. */
export async function putDevAccount(store: Store, clock: Clock): Promise<void> {
  if ((await store.getAccount('default')) !== undefined) return
  await store.putAccount({ id: 'default', tenant: 'default', name: 'default', createdAt: nowMs(clock) })
}

/** The first key, which makes all others: its text is configured, so that nobody has to print it. */
export async function putAdminKey(
  store: Store,
  settings: Settings,
  { pepper, clock }: { readonly pepper: string; readonly clock: Clock },
): Promise<void> {
  const text = settings['streams.auth.admin_key']
  if (text === undefined || text === '') return
  const parts = parseKey(text)
  if (parts === undefined) {
    throw new HeadraceError('config_invalid', 'setting streams.auth.admin_key: is no API key', {
      hint: 'headrace streams keys generate prints one',
    })
  }
  const secretHash = hashOf(parts.secret, pepper)
  const known = await store.getKey(parts.id)
  if (known?.secretHash === secretHash) return
  await store.putKey({
    id: parts.id,
    name: 'admin',
    tenant: settings['streams.auth.admin_tenant'],
    accounts: null,
    scopes: ['admin'],
    streams: null,
    expiresAt: null,
    createdAt: nowMs(clock),
    secretHash,
    lastUsedAt: null,
  })
}

/** The text of a key that belongs to nobody yet, for `streams.auth.admin_key`. */
export const newKeyText = (): string =>
  createKey({ name: '', tenant: '', accounts: null, scopes: [], streams: null, expiresAt: null, createdAt: 0 }, '').text
