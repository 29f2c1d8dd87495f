import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { freshSeed, Random } from '../core/random.ts'
import { StoreAccounts } from './accounts.ts'
import { type ApiKeyFields, createKey, parseKey, verifyKey } from './api-keys.ts'
import { HttpAccounts } from './http-accounts.ts'
import { MemoryStore } from './memory-store.ts'

const fields: ApiKeyFields = {
  name: 'k',
  tenant: 't',
  accounts: null,
  scopes: ['admin'],
  streams: null,
  expiresAt: null,
  createdAt: 0,
}

test('a key is its own text alone, with its own pepper', () => {
  const random = new Random(freshSeed())
  const fill = (bytes: Uint8Array) => void bytes.forEach((_, i) => void (bytes[i] = random.below(256)))
  const [one, two] = [createKey(fields, 'pepper', fill), createKey(fields, 'pepper', fill)]
  expect(one.text).toMatch(/^hr_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}$/)
  expect(JSON.stringify(one.key)).not.toContain(parseKey(one.text)!.secret)
  expect(parseKey(one.text)?.id).toBe(one.key.id)
  expect(verifyKey(one.text, one.key, 'pepper')).toBe(true)
  const wrong = `${one.text.slice(0, -1)}${one.text.endsWith('a') ? 'b' : 'a'}`
  const swapped = `hr_${two.key.id}_${parseKey(one.text)!.secret}`
  for (const text of [two.text, wrong, swapped, '', 'hr_', `${one.text} `]) {
    expect(verifyKey(text, one.key, 'pepper'), text).toBe(false)
  }
  expect(verifyKey(one.text, one.key, 'other')).toBe(false)
})

test('accounts of a store, and of another service, whose answers hold for a minute', async () => {
  const store = new MemoryStore()
  await store.putAccount({ id: 'a', tenant: 't', name: 'A', createdAt: 0 })
  const own = new StoreAccounts(store)
  expect([await own.exists('a'), await own.exists('b'), await own.tenantOf('a')]).toEqual([true, false, 't'])

  const asked: string[] = []
  const clock = new ManualClock()
  let status = 200
  const answer = async (url: string | URL | Request) => {
    asked.push(String(url))
    return String(url).endsWith('/none')
      ? new Response('', { status: 404 })
      : Response.json({ tenant: 't' }, { status })
  }
  const accounts = new HttpAccounts({ url: 'http://accounts/v1/', clock, fetch: answer })
  expect([await accounts.exists('a/b'), await accounts.tenantOf('a/b'), await accounts.exists('none')]).toEqual([
    true,
    't',
    false,
  ])
  expect(asked).toEqual(['http://accounts/v1/a%2Fb', 'http://accounts/v1/none'])
  clock.advance(60_000)
  status = 500
  await expect(accounts.exists('a/b')).rejects.toMatchObject({ code: 'unavailable' })
  status = 200
  expect(await accounts.exists('a/b')).toBe(true)
  expect(asked.length).toBe(4)
})
