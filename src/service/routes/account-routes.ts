import { Type } from 'typebox'
import { Uuid7 } from '../../core/uuid7.ts'
import type { Account } from '../../datastreams/accounts.ts'
import { ConflictError, ValidationError } from '../../datastreams/errors.ts'
import { Faults, textField } from '../../datastreams/field-checks.ts'
import { TOKEN_SECONDS_MAX, tokenText } from '../access/tokens.ts'
import { refusal } from '../http/problem.ts'
import { type Call, json, type Route, route } from '../route.ts'
import { envelope, envelopeOf } from '../shapes/list-shape.ts'
import { isoTime } from '../shapes/time-text.ts'
import { objectBody, ownStream } from './stream-routes.ts'

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

const accountAnswer = Type.Object({
  id: Type.String(),
  tenant: Type.String(),
  name: Type.String(),
  created_at: Type.String({ format: 'date-time' }),
})
const accountBody = Type.Object(
  {
    id: Type.Optional(Type.String({ pattern: ID.source, description: 'given by the service when absent' })),
    name: Type.String({ minLength: 1 }),
  },
  { examples: [{ id: 'acct-1', name: 'Plant 1' }] },
)
const tokenBody = Type.Object(
  {
    stream_id: Type.String({ minLength: 1 }),
    scope: Type.Optional(Type.Enum(['streams:read'])),
    ttl_s: Type.Optional(Type.Integer({ minimum: 1, maximum: TOKEN_SECONDS_MAX })),
  },
  { examples: [{ stream_id: '0192f0c4-0000-7000-8000-000000000000', scope: 'streams:read', ttl_s: 600 }] },
)
const tokenAnswer = Type.Object({
  token: Type.String(),
  stream_id: Type.String(),
  scope: Type.Enum(['streams:read']),
  expires_at: Type.String({ format: 'date-time' }),
})

const nowMs = ({ services }: Call): number => Math.floor(services.clock.nowMicros() / 1000)

export const accountRoutes: readonly Route[] = [
  route({
    name: 'listAccounts',
    method: 'GET',
    place: 'v1',
    path: '/accounts',
    summary: 'Accounts of the tenant that the credential may use',
    scope: 'accounts:admin',
    account: 'none',
    answers: { 200: { description: 'accounts', content: json(envelope(accountAnswer)) } },
    handle: async ({ services, credential: { tenant, accounts } }) => {
      const found = await services.store.listAccounts(tenant)
      const usable = found.filter(({ id }) => accounts === null || accounts.includes(id))
      return { status: 200, text: envelopeOf(usable.map(accountJson)) }
    },
  }),
  route({
    name: 'createAccount',
    method: 'POST',
    place: 'v1',
    path: '/accounts',
    summary: 'Create an account of the tenant',
    scope: 'accounts:admin',
    account: 'none',
    body: { content: json(accountBody), required: true },
    answers: { 201: { description: 'created', content: json(accountAnswer), headers: ['location'] } },
    handle: async (call) => {
      const { services, credential } = call
      if (credential.accounts !== null)
        throw refusal('forbidden', 'forbidden: the credential is limited to its accounts')
      const account = accountOfBody(call, await objectBody(call))
      if ((await services.directory.tenantOf(account.id)) !== undefined) {
        throw new ConflictError(`account ${account.id} is there`, { code: 'already_exists' })
      }
      await services.store.putAccount(account)
      services.log.info({ audit: 'account created', account_id: account.id, actor: credential.id }, 'account created')
      return {
        status: 201,
        text: JSON.stringify(accountJson(account)),
        headers: { location: `/v1/accounts/${account.id}` },
      }
    },
  }),
  route({
    name: 'createToken',
    method: 'POST',
    place: 'v1',
    path: '/tokens',
    summary: 'A token for a browser: reads one stream live, as ?access_token=',
    scope: 'streams:read',
    account: 'needed',
    body: { content: json(tokenBody), required: true },
    answers: { 201: { description: 'the token', content: json(tokenAnswer) } },
    handle: async (call) => {
      const { streamId, seconds } = tokenFields(await objectBody(call))
      await ownStream({ ...call, params: { stream: streamId } })
      const { credential, account, services } = call
      const until = nowMs(call) + seconds * 1000
      const body = { tenant: credential.tenant, account, stream: streamId, key: credential.id, until }
      const token = tokenText(services.signer, body)
      const text = JSON.stringify({ token, stream_id: streamId, scope: 'streams:read', expires_at: isoTime(until) })
      return { status: 201, text, headers: { 'cache-control': 'no-store' } }
    },
  }),
]

function accountOfBody(call: Call, body: Readonly<Record<string, unknown>>): Account {
  const now = nowMs(call)
  const faults = new Faults()
  const name = textField(faults, 'name', body['name'], { most: 200, required: true }) ?? ''
  const given = textField(faults, 'id', body['id'], { most: 100 }) ?? ''
  if (given !== '' && !ID.test(given))
    faults.field('id', 'format', 'must be letters, digits, dots, dashes, underscores')
  if (faults.list.length > 0) throw new ValidationError(faults.list)
  const id = given === '' ? new Uuid7(() => now).next() : given
  return { id, tenant: call.credential.tenant, name, createdAt: now }
}

function tokenFields(body: Readonly<Record<string, unknown>>): { readonly streamId: string; readonly seconds: number } {
  const faults = new Faults()
  const streamId = textField(faults, 'stream_id', body['stream_id'], { most: 100, required: true }) ?? ''
  const { scope = 'streams:read', ttl_s: seconds = TOKEN_SECONDS_MAX } = body
  if (scope !== 'streams:read') faults.field('scope', 'enum', 'must be streams:read')
  const isWhole =
    typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 1 && seconds <= TOKEN_SECONDS_MAX
  if (!isWhole) faults.field('ttl_s', 'range', `must be a whole number from 1 to ${TOKEN_SECONDS_MAX}`)
  if (faults.list.length > 0) throw new ValidationError(faults.list)
  return { streamId, seconds: seconds as number }
}

const accountJson = ({ id, tenant, name, createdAt }: Account) => ({ id, tenant, name, created_at: isoTime(createdAt) })
