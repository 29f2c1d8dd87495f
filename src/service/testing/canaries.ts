import type { Random } from '../../core/random.ts'
import { createKey } from '../../datastreams/api-keys.ts'
import { mountsOf } from '../mounts.ts'
import type { Route } from '../route.ts'
import { routes } from '../routes.ts'
import { type Asked, type appUnderTest, PEPPER } from './app-under-test.ts'

type App = ReturnType<typeof appUnderTest>
type Method = Route['method']

/** A tenant whose every text holds its canary. */
interface Tenant {
  readonly id: string
  readonly canary: string
  readonly account: string
  readonly key: string
  readonly keyId: string
  readonly stream: string
  readonly listCursor: string
  readonly liveCursor: string
  readonly token: string
}

/** A request that names something of somebody else. */
interface Crossed {
  readonly kind: string
  readonly route: string
  readonly method: Method
  /** With an id in the place of the foreign one: `missing` of the same form, or the foreign one. */
  readonly request: (id: string) => Request
  /** Of the victim. */
  readonly foreign: string
  readonly missing: string
  /** The same request by the one whom it belongs to; undefined: there is none that leaves the rest as it is. */
  readonly rightful?: Request | undefined
}

interface Request {
  readonly path: string
  readonly key: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const ADMIN = { accounts: null, scopes: ['admin'], streams: null, expiresAt: null, createdAt: 0 } as const
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** Bodies with which the routes answer 2xx to whom they belong. */
const BODIES: Readonly<Record<string, unknown>> = {
  createFrame: {},
  createFrames: [{}],
  patchStream: { description: 'changed' },
  replaceStream: { name: 'replaced', symbol: 'R' },
  claimWriter: { incarnation: '1' },
}
/** After these the victim's things are not what they were. */
const DESTROYS = new Set(['deleteStream', 'replaceStream', 'getWriter'])

async function tenantOf(app: App, id: string): Promise<Tenant> {
  const canary = `canary-${id}-${crypto.randomUUID()}`
  const account = `acct-${id}`
  await app.store.putAccount({ id: account, tenant: id, name: canary, createdAt: 0 })
  const { key, text } = createKey({ ...ADMIN, name: canary, tenant: id }, PEPPER)
  await app.store.putKey(key)
  const headers = { authorization: `Bearer ${text}` }
  const body = { name: canary, symbol: canary, description: canary, metadata: { canary } }
  const stream = (await app.ask('POST', '/v1/streams', { body, headers })).json.id as string
  for (let sequence = 1; sequence <= 3; sequence++) {
    const frame = { sequence, payload: { canary }, metadata: { canary } }
    await app.ask('POST', `/v1/streams/${stream}/frames`, { body: frame, headers })
  }
  const page = await app.ask('GET', `/v1/streams/${stream}/frames?limit=1`, { headers })
  const live = await app.ask('GET', `/v1/streams/${stream}/subscribe?from=earliest&limit=1`, { headers })
  const token = await app.ask('POST', '/v1/tokens', { body: { stream_id: stream }, headers })
  return {
    id,
    canary,
    account,
    key: text,
    keyId: key.id,
    stream,
    listCursor: page.json.next_cursor,
    liveCursor: live.json.next_cursor,
    token: token.json.token,
  }
}

/** Everything by which `attacker` can name what is `victim`'s. */
function crossedRequests(attacker: Tenant, victim: Tenant): readonly Crossed[] {
  const all: Crossed[] = []
  for (const route of routes.filter(({ place }) => place === 'streams')) {
    for (const { path } of mountsOf(route)) {
      const body = BODIES[route.name]
      const filled = (ids: Readonly<Record<string, string>>): string =>
        path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name] ?? '1'))
      const base = { method: route.method, route: `${route.method} ${path}` }
      const own = { account: attacker.account, stream: attacker.stream }
      const mine = { key: attacker.key, body }
      if (path.includes('{stream}')) {
        all.push({
          ...base,
          kind: 'stream',
          foreign: victim.stream,
          missing: '01890000-0000-7000-8000-000000000000',
          request: (stream) => ({ ...mine, path: filled({ ...own, stream }) }),
          rightful: DESTROYS.has(route.name)
            ? undefined
            : { path: filled({ account: victim.account, stream: victim.stream }), key: victim.key, body },
        })
      }
      const inPath = path.includes('{account}')
      if (body === undefined && route.name === 'createStream') continue
      all.push({
        ...base,
        kind: inPath ? 'account in the path' : 'account in a header',
        foreign: victim.account,
        missing: `acct-${victim.id.replace(/./g, '0')}`,
        request: (account) => ({
          ...mine,
          path: filled({ account, stream: victim.stream }),
          ...(inPath ? {} : { headers: { 'x-account-id': account } }),
        }),
      })
      all.push({
        ...base,
        kind: 'tenant in a header',
        foreign: victim.id,
        missing: victim.id.replace(/./g, '~'),
        request: (tenant) => ({ ...mine, path: filled(own), headers: { 'x-tenant-id': tenant } }),
      })
    }
  }
  return [...all, ...cursorsAndTokens(attacker, victim), ...administration(attacker, victim)]
}

function cursorsAndTokens(attacker: Tenant, victim: Tenant): readonly Crossed[] {
  const mine = { key: attacker.key }
  const turned = (text: string): string => text.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
  const cursor = (kind: string, foreign: string, path: (cursor: string) => string, rightful: string): Crossed => ({
    kind,
    method: 'GET',
    route: `GET ${path('').split('?')[0]!.replace(attacker.stream, '{stream}')}`,
    foreign,
    missing: turned(foreign),
    request: (text) => ({ ...mine, path: path(text) }),
    rightful: { key: victim.key, path: rightful },
  })
  const frames = `/v1/streams/${attacker.stream}/frames`
  const live = `/v1/streams/${attacker.stream}/subscribe`
  const theirs = `/v1/streams/${victim.stream}`
  return [
    cursor(
      'cursor',
      victim.listCursor,
      (text) => `${frames}?limit=1&cursor=${text}`,
      `${theirs}/frames?limit=1&cursor=${victim.listCursor}`,
    ),
    cursor(
      'position',
      victim.liveCursor,
      (text) => `${frames}?after=${text}`,
      `${theirs}/frames?after=${victim.liveCursor}`,
    ),
    cursor(
      'position',
      victim.liveCursor,
      (text) => `${live}?cursor=${text}`,
      `${theirs}/subscribe?cursor=${victim.liveCursor}`,
    ),
    {
      kind: 'token for another stream',
      method: 'GET',
      route: 'GET /v1/streams/{stream}/subscribe',
      foreign: victim.stream,
      missing: '01890000-0000-7000-8000-000000000000',
      request: (stream) => ({ key: '', path: `/v1/streams/${stream}/subscribe?access_token=${attacker.token}` }),
      rightful: { key: '', path: `${theirs}/subscribe?from=earliest&access_token=${victim.token}` },
    },
  ]
}

function administration(attacker: Tenant, victim: Tenant): readonly Crossed[] {
  const mine = { key: attacker.key }
  const missingStream = '01890000-0000-7000-8000-000000000000'
  const missingAccount = `acct-${victim.id.replace(/./g, '0')}`
  return [
    {
      kind: 'key',
      method: 'DELETE',
      route: 'DELETE /v1/keys/{key}',
      foreign: victim.keyId,
      missing: '00000000',
      request: (id) => ({ ...mine, path: `/v1/keys/${id}` }),
    },
    {
      kind: 'topic',
      method: 'POST',
      route: 'POST /system/data',
      foreign: victim.stream,
      missing: missingStream,
      request: (id) => ({ ...mine, path: '/system/data', body: { topic: `datastreams/${id}`, payload: {} } }),
      rightful: { key: victim.key, path: '/system/data', body: { topic: victim.stream, payload: {} } },
    },
    {
      kind: 'stream of a token',
      method: 'POST',
      route: 'POST /v1/tokens',
      foreign: victim.stream,
      missing: missingStream,
      request: (id) => ({ ...mine, path: '/v1/tokens', body: { stream_id: id } }),
      rightful: { key: victim.key, path: '/v1/tokens', body: { stream_id: victim.stream } },
    },
    {
      kind: 'account of a stream',
      method: 'POST',
      route: 'POST /v1/streams',
      foreign: victim.account,
      missing: missingAccount,
      request: (id) => ({ ...mine, path: '/v1/streams', body: { name: 'n', symbol: 's', account_id: id } }),
    },
    {
      kind: 'account of a key',
      method: 'POST',
      route: 'POST /v1/keys',
      foreign: victim.account,
      missing: missingAccount,
      request: (id) => ({ ...mine, path: '/v1/keys', body: { name: 'n', scopes: ['streams:read'], accounts: [id] } }),
    },
    {
      kind: 'lists',
      method: 'GET',
      route: 'GET /v1/accounts',
      foreign: victim.id,
      missing: victim.id,
      request: () => ({ ...mine, path: '/v1/accounts' }),
      rightful: { key: victim.key, path: '/v1/accounts' },
    },
  ]
}

export interface CanaryReport {
  readonly requests: number
  /** Requests by route, method and kind of foreign id. */
  readonly byCase: ReadonlyMap<string, number>
  readonly faults: readonly string[]
}

/**
 * Tenants ask for what is not theirs until there were `requests` of such: no answer holds a foreign canary, what is foreign
 * is answered byte by byte as what is missing, and the rightful one gets it.
 */
export async function crossTenants(
  app: App,
  {
    tenants: count,
    requests,
    random,
  }: { readonly tenants: number; readonly requests: number; readonly random: Random },
): Promise<CanaryReport> {
  const tenants: Tenant[] = []
  for (let i = 0; i < count; i++) tenants.push(await tenantOf(app, `t${String(i).padStart(2, '0')}`))
  const byCase = new Map<string, number>()
  const faults: string[] = []
  let done = 0
  while (done < requests) {
    const attacker = random.pick(tenants)
    const victim = random.pick(tenants.filter((tenant) => tenant !== attacker))
    for (const crossed of crossedRequests(attacker, victim)) {
      const name = `${crossed.route}: ${crossed.kind}`
      byCase.set(name, (byCase.get(name) ?? 0) + 1)
      done++
      const found = await judge(app, crossed, { attacker, victim, tenants })
      if (found !== undefined && faults.length < 5) faults.push(`${name}: ${found}`)
      if (done >= requests) break
    }
  }
  const scraped = (await app.ask('GET', '/metrics')).text
  for (const { canary } of tenants) if (scraped.includes(canary)) faults.push(`metrics hold ${canary}`)
  return { requests: done, byCase, faults }
}

async function judge(
  app: App,
  crossed: Crossed,
  { attacker, tenants }: { readonly attacker: Tenant; readonly victim: Tenant; readonly tenants: readonly Tenant[] },
): Promise<string | undefined> {
  const send = async ({ path, key, body, headers }: Request): Promise<Asked> =>
    await app.ask(crossed.method, path, {
      body,
      headers: { ...headers, traceparent: TRACE, ...(key === '' ? {} : { authorization: `Bearer ${key}` }) },
    })
  const answer = await send(crossed.request(crossed.foreign))
  const whole = `${answer.text}${JSON.stringify(answer.headers)}`
  const leaked = tenants.find(({ canary }) => canary !== attacker.canary && whole.includes(canary))
  if (leaked !== undefined) return `holds the canary of ${leaked.id}: ${whole}`
  if (crossed.kind !== 'lists') {
    if (answer.status < 400 || answer.status >= 500) return `answered ${answer.status}: ${answer.text}`
    const missing = await send(crossed.request(crossed.missing))
    const [a, b] = [shape(answer, crossed.foreign), shape(missing, crossed.missing)]
    if (a !== b) return `differs from missing:\n  ${a}\n  ${b}`
  }
  if (crossed.rightful === undefined) return undefined
  const right = await send(crossed.rightful)
  return right.status >= 200 && right.status < 300 ? undefined : `the rightful one got ${right.status}: ${right.text}`
}

/** All of an answer but the id that was asked for, and the hour. */
function shape({ status, headers, text }: Asked, id: string): string {
  const { date: _, ...rest } = headers
  return `${status} ${JSON.stringify(rest)} ${text}`.replaceAll(encodeURIComponent(id), 'ID').replaceAll(id, 'ID')
}
