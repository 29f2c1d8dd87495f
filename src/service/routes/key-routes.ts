import { Type } from 'typebox'
import { type ApiKey, createKey, SCOPES, type Scope } from '../../datastreams/api-keys.ts'
import { ConflictError, NotFoundError, ValidationError } from '../../datastreams/errors.ts'
import { Faults, textField } from '../../datastreams/field-checks.ts'
import { timeField } from '../../datastreams/frame-fields.ts'
import type { Credential } from '../access/credential.ts'
import { type Call, json, type Route, route } from '../route.ts'
import { envelope, envelopeOf } from '../shapes/list-shape.ts'
import { isoTime } from '../shapes/time-text.ts'
import { objectBody } from './stream-routes.ts'

/** Keys of one name that are valid at once: the old one and the new one, while it is exchanged. */
const LIVE_KEYS_PER_NAME = 2

const names = Type.Union([Type.Array(Type.String()), Type.Null()])

export const keyAnswer = Type.Object({
  id: Type.String({ description: 'the 8 visible characters' }),
  name: Type.String(),
  tenant: Type.String(),
  accounts: names,
  scopes: Type.Array(Type.Enum([...SCOPES])),
  streams: names,
  expires_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
  created_at: Type.String({ format: 'date-time' }),
  last_used_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
})
const newKeyAnswer = Type.Object({ ...keyAnswer.properties, key: Type.String({ description: 'shown once' }) })

const keyBody = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    scopes: Type.Array(Type.Enum([...SCOPES]), { minItems: 1 }),
    accounts: Type.Optional(names),
    streams: Type.Optional(names),
    expires_at: Type.Optional(Type.Union([Type.String({ format: 'date-time' }), Type.Number(), Type.Null()])),
  },
  { examples: [{ name: 'sensors', scopes: ['streams:append'], accounts: ['acct-1'] }] },
)

export const keyRoutes: readonly Route[] = [
  route({
    name: 'listKeys',
    method: 'GET',
    place: 'v1',
    path: '/keys',
    summary: 'API keys of the tenant, without their secrets',
    scope: 'accounts:admin',
    account: 'none',
    answers: { 200: { description: 'keys', content: json(envelope(keyAnswer)) } },
    handle: async ({ services, credential }) => {
      const keys = await services.store.listKeys(credential.tenant)
      return { status: 200, text: envelopeOf(keys.filter((key) => mayManage(credential, key)).map(keyJson)) }
    },
  }),
  route({
    name: 'createKey',
    method: 'POST',
    place: 'v1',
    path: '/keys',
    summary: 'Create an API key; its secret is shown once',
    scope: 'accounts:admin',
    account: 'none',
    body: { content: json(keyBody), required: true },
    answers: { 201: { description: 'created', content: json(newKeyAnswer), headers: ['location'] } },
    handle: async (call) => {
      const { services, credential } = call
      const { store, pepper, log } = services
      const now = Math.floor(services.clock.nowMicros() / 1000)
      const fields = await keyFields(call, await objectBody(call), now)
      const live = (await store.listKeys(credential.tenant)).filter(
        ({ name, expiresAt }) => name === fields.name && (expiresAt === null || expiresAt > now),
      )
      if (live.length >= LIVE_KEYS_PER_NAME) {
        throw new ConflictError(`${live.length} live keys are named ${fields.name}`, { code: 'already_exists' })
      }
      const { key, text } = createKey({ ...fields, tenant: credential.tenant, createdAt: now }, pepper)
      await store.putKey(key)
      log.info(
        { audit: 'key created', key: key.id, name: key.name, tenant: key.tenant, actor: credential.id },
        'key created',
      )
      const members = JSON.stringify({ ...keyJson(key), key: text })
      return { status: 201, text: members, headers: { location: `/v1/keys/${key.id}`, 'cache-control': 'no-store' } }
    },
  }),
  route({
    name: 'deleteKey',
    method: 'DELETE',
    place: 'v1',
    path: '/keys/{key}',
    summary: 'Revoke an API key',
    scope: 'accounts:admin',
    account: 'none',
    answers: { 204: { description: 'revoked' } },
    handle: async ({ services, credential, params }) => {
      const key = await services.store.getKey(params['key']!)
      if (key === undefined || key.tenant !== credential.tenant || !mayManage(credential, key)) {
        throw new NotFoundError(`key ${params['key']} not found`)
      }
      await services.store.deleteKey(key.id)
      services.log.info({ audit: 'key deleted', key: key.id, tenant: key.tenant, actor: credential.id }, 'key deleted')
      return { status: 204 }
    },
  }),
]

/** Nobody hands on, or sees, more than he has. */
const mayManage = ({ accounts }: Credential, key: Pick<ApiKey, 'accounts'>): boolean =>
  accounts === null || key.accounts?.every((account) => accounts.includes(account)) === true

const mayGive = ({ scopes }: Credential, scope: string): boolean => scopes.includes('admin') || scopes.includes(scope)

async function keyFields(
  { credential, services }: Call,
  body: Readonly<Record<string, unknown>>,
  now: number,
): Promise<Pick<ApiKey, 'name' | 'scopes' | 'accounts' | 'streams' | 'expiresAt'>> {
  const faults = new Faults()
  const name = textField(faults, 'name', body['name'], { most: 200, required: true }) ?? ''
  const scopes = listField(faults, 'scopes', body['scopes'])
  if (scopes === null || scopes.length === 0) faults.field('scopes', 'required', 'is required')
  for (const scope of scopes ?? []) {
    if (!(SCOPES as readonly string[]).includes(scope)) faults.field('scopes', 'enum', `"${scope}" is no scope`)
    else if (!mayGive(credential, scope)) faults.field('scopes', 'enum', `the credential has no ${scope} to give`)
  }
  const accounts = listField(faults, 'accounts', body['accounts']) ?? credential.accounts
  for (const account of accounts ?? []) {
    const known = (await services.directory.tenantOf(account)) === credential.tenant
    if (!known || !mayManage(credential, { accounts: [account] })) {
      faults.field('accounts', 'enum', `account ${account} not found`)
    }
  }
  const streams = listField(faults, 'streams', body['streams']) ?? credential.streams
  if (credential.streams !== null && streams?.every((stream) => credential.streams!.includes(stream)) !== true) {
    faults.field('streams', 'enum', 'the credential may not use all of them')
  }
  const expiresAt = timeField(faults, 'expires_at', body['expires_at']) ?? null
  if (expiresAt !== null && expiresAt <= now) faults.field('expires_at', 'range', 'has passed')
  if (faults.list.length > 0) throw new ValidationError(faults.list)
  return { name, scopes: scopes as Scope[], accounts, streams, expiresAt }
}

const ENTRIES_MAX = 1000

/** Null: absent. */
function listField(faults: Faults, name: string, value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return null
  if (Array.isArray(value) && value.length <= ENTRIES_MAX && value.every((entry) => typeof entry === 'string')) {
    return value as string[]
  }
  faults.field(name, 'type', `must be an array of at most ${ENTRIES_MAX} texts`)
  return []
}

const keyJson = (key: ApiKey) => ({
  id: key.id,
  name: key.name,
  tenant: key.tenant,
  accounts: key.accounts,
  scopes: key.scopes,
  streams: key.streams,
  expires_at: key.expiresAt === null ? null : isoTime(key.expiresAt),
  created_at: isoTime(key.createdAt),
  last_used_at: key.lastUsedAt === null ? null : isoTime(key.lastUsedAt),
})
