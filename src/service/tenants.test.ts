import { afterAll, beforeAll, expect, test } from 'vitest'
import { Random } from '../core/random.ts'
import { createKey, type Scope } from '../datastreams/api-keys.ts'
import { appUnderTest, PEPPER } from './testing/app-under-test.ts'
import { crossTenants } from './testing/canaries.ts'

const app = appUnderTest({ anonymous: null })
const { ask, store, end } = app
afterAll(end)

async function keyOf(
  tenant: string,
  scopes: readonly Scope[],
  more: {
    readonly accounts?: readonly string[]
    readonly streams?: readonly string[]
    readonly expiresAt?: number
  } = {},
): Promise<Readonly<Record<string, string>>> {
  const fields = { accounts: null, streams: null, expiresAt: null, createdAt: 0, ...more }
  const { key, text } = createKey({ ...fields, name: `${tenant} ${scopes.join()}`, tenant, scopes }, PEPPER)
  await store.putKey(key)
  return { authorization: `Bearer ${text}` }
}

let admin: Readonly<Record<string, string>>
let own: string
let sibling: string
let foreign: string
beforeAll(async () => {
  for (const [tenant, id] of [
    ['acme', 'acct-1'],
    ['acme', 'acct-2'],
    ['zeta', 'acct-9'],
  ] as const) {
    await store.putAccount({ id, tenant, name: id, createdAt: 0 })
  }
  admin = await keyOf('acme', ['admin'])
  const of = async (headers: Readonly<Record<string, string>>, account: string): Promise<string> =>
    (await ask('POST', `/accounts/${account}/datastreams`, { body: { name: 'n', symbol: 's' }, headers })).json.id
  own = await of(admin, 'acct-1')
  sibling = await of(admin, 'acct-2')
  foreign = await of(await keyOf('zeta', ['admin']), 'acct-9')
})

const codeOf = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<readonly unknown[]> => {
  const { status, json } = await ask('GET', path, { headers })
  return [status, json?.code ?? json?.id]
}

test('the table of who may see what', async () => {
  const one = await keyOf('acme', ['streams:read'], { accounts: ['acct-1'] })
  expect(await codeOf(`/streams/${own}`)).toEqual([401, 'unauthorized'])
  expect(await codeOf(`/streams/${own}`, { authorization: 'Bearer hr_xxxxxxxx_wrong' })).toEqual([401, 'unauthorized'])
  expect((await ask('GET', `/streams/${own}`)).headers['www-authenticate']).toBe('Bearer')
  expect(await codeOf(`/streams/${own}`, one)).toEqual([200, own])
  const scope = await ask('POST', `/streams/${own}/frames`, { body: {}, headers: one })
  expect([scope.status, scope.json.code]).toEqual([403, 'insufficient_scope'])
  expect(await codeOf('/accounts/nobody/datastreams', one)).toEqual([404, 'not_found'])
  expect(await codeOf('/accounts/acct-9/datastreams', one)).toEqual([404, 'not_found'])
  expect(await codeOf('/accounts/acct-2/datastreams', one)).toEqual([403, 'forbidden'])
  const other = await ask('GET', `/streams/${sibling}`, { headers: one })
  expect([other.status, other.json.error]).toEqual([403, `stream ${sibling} does not belong to account acct-1`])
  expect(await codeOf(`/streams/${foreign}`, one)).toEqual([404, 'not_found'])
  expect(await codeOf('/streams', admin)).toEqual([422, 'validation'])
  expect(await codeOf(`/streams/${own}`, { ...admin, 'x-account-id': 'acct-1' })).toEqual([200, own])
})

test('the tenant of the header must be that of the credential', async () => {
  const headers = { ...admin, 'x-account-id': 'acct-1' }
  expect(await codeOf(`/streams/${own}`, { ...headers, 'x-tenant-id': 'acme' })).toEqual([200, own])
  const answer = await ask('GET', `/streams/${own}`, { headers: { ...headers, 'x-tenant-id': 'zeta' } })
  expect([answer.status, answer.json.error]).toEqual([403, 'forbidden: tenant mismatch'])
})

test('a key can be limited to streams, and expires', async () => {
  const limited = await keyOf('acme', ['streams:read', 'streams:append'], { accounts: ['acct-1'], streams: [sibling] })
  expect(await codeOf(`/streams/${own}`, limited)).toEqual([403, 'forbidden'])
  expect(await codeOf(`/streams/${own}/latest`, limited)).toEqual([403, 'forbidden'])
  const old = await keyOf('acme', ['admin'], { expiresAt: 1 })
  expect(await codeOf(`/streams/${own}`, old)).toEqual([401, 'unauthorized'])
})

test('keys are made, shown once, listed without their secret, revoked; two live ones a name', async () => {
  const body = { name: 'sensor', scopes: ['streams:append'], accounts: ['acct-1'] }
  const made = await ask('POST', '/v1/keys', { body, headers: admin })
  expect([made.status, made.json.key]).toEqual([201, expect.stringMatching(/^hr_.{8}_.{43}$/)])
  const headers = { authorization: `Bearer ${made.json.key}` }
  expect((await ask('POST', `/streams/${own}/frames`, { body: {}, headers })).status).toBe(201)
  const secret = made.json.key.split('_')[2]
  const listed = await ask('GET', '/v1/keys', { headers: admin })
  expect(listed.text).not.toContain(secret)
  expect(listed.json.data.find(({ id }: { id: string }) => id === made.json.id).last_used_at).not.toBeNull()
  expect((await ask('POST', '/v1/keys', { body, headers: admin })).status).toBe(201)
  expect((await ask('POST', '/v1/keys', { body, headers: admin })).json.code).toBe('already_exists')
  expect((await ask('DELETE', `/v1/keys/${made.json.id}`, { headers: admin })).status).toBe(204)
  expect((await ask('POST', `/streams/${own}/frames`, { body: {}, headers })).status).toBe(401)
})

test('nobody hands on more than he has', async () => {
  const small = await keyOf('acme', ['accounts:admin', 'streams:read'], { accounts: ['acct-1'] })
  const body = { name: 'big', scopes: ['admin'], accounts: ['acct-2'] }
  const answer = await ask('POST', '/v1/keys', { body, headers: small })
  expect(answer.status).toBe(422)
  expect(answer.json.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/scopes', '/accounts'])
  expect((await ask('POST', '/v1/accounts', { body: { name: 'x' }, headers: small })).status).toBe(403)
})

test('a token reads its stream live, and nothing else', async () => {
  const headers = { ...admin, 'x-account-id': 'acct-1' }
  const { json } = await ask('POST', '/v1/tokens', { body: { stream_id: own, ttl_s: 60 }, headers })
  const query = `access_token=${json.token}`
  expect((await ask('GET', `/streams/${own}/subscribe?${query}`)).status).toBe(204)
  expect(await codeOf(`/streams/${own}?${query}`)).toEqual([401, 'unauthorized'])
  expect(await codeOf(`/streams/${sibling}/subscribe?${query}`)).toEqual([403, 'forbidden'])
  expect(await codeOf(`/streams/${own}/subscribe?${query}x`)).toEqual([401, 'unauthorized'])
  const long = await ask('POST', '/v1/tokens', { body: { stream_id: own, ttl_s: 9999 }, headers })
  expect([long.status, long.json.errors[0].pointer]).toEqual([422, '/ttl_s'])
})

test('twenty tenants with canaries ask for what is not theirs', async () => {
  const random = new Random(20)
  const { faults, byCase } = await crossTenants(app, { tenants: 20, requests: 300, random })
  expect(faults).toEqual([])
  expect(byCase.size).toBeGreaterThan(100)
})
