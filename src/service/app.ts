import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { accountOf } from './access/account.ts'
import { credentialOf, OPEN } from './access/authenticate.ts'
import { demandScope, demandTenant } from './access/credential.ts'
import { letGo } from './http/body.ts'
import { answerBadRequest } from './http/client-errors.ts'
import { compressed } from './http/compress.ts'
import { demandAcceptable } from './http/negotiate.ts'
import { problemOf, problemText, refusal } from './http/problem.ts'
import { queryOf, readQuery } from './http/queries.ts'
import { traceIdOf } from './http/trace.ts'
import { type Mount, mountsOf } from './mounts.ts'
import { ANSWERED, type Answer, type Call, type Route } from './route.ts'
import type { Services } from './services.ts'

const PARAMETER_MAX = 300
/** Methods that the router passes on. */
const PASSED = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'])
/** What the headers of a request may take together. */
const HEADERS_TIMEOUT_MS = 10_000
const PROBLEM_TYPE = 'application/problem+json'

/** The routes as an application; it does not listen yet. */
export function buildApp(routes: readonly Route[], services: Services): FastifyInstance {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: PARAMETER_MAX, querystringParser: queryOf },
    // Bodies are read by the handlers, which have limits and time limits of their own.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    frameworkErrors: (_error, request, reply) =>
      void sendProblem(
        services,
        refusal('bad_request', 'the path cannot be read'),
        request as FastifyRequest,
        reply as unknown as FastifyReply,
      ),
    clientErrorHandler: answerBadRequest,
  })
  app.server.headersTimeout = HEADERS_TIMEOUT_MS
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(null, undefined))
  const mounts = routes.flatMap(mountsOf)
  for (const mount of mounts) {
    app.route({
      method: mount.route.method,
      url: mount.url,
      exposeHeadRoute: mount.route.method === 'GET' && mount.route.live !== true,
      handler: (request, reply) => void dispatch(mount, services, request, reply),
    })
  }
  app.setNotFoundHandler((request, reply) => void answerUnknown(mounts, services, request, reply))
  app.setErrorHandler((error, request, reply) => {
    // Of the router alone: it knows no such method, such as QUERY.
    const isRouters = !PASSED.has(request.method)
    void (isRouters ? answerUnknown(mounts, services, request, reply) : sendProblem(services, error, request, reply))
  })
  return app
}

const JSON_TYPES = ['application/json', PROBLEM_TYPE]

async function dispatch(mount: Mount, services: Services, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { route } = mount
  const receivedAt = Math.floor(services.clock.nowMicros() / 1000)
  const from = services.clock.elapsedMs()
  services.inFlight.begin()
  try {
    const call = await callOf(mount, services, request, reply)
    const answer = await route.handle({ ...call, receivedAt } as Call<never>)
    if (answer !== ANSWERED) await sendAnswer(answer, request, reply)
  } catch (error) {
    await sendProblem(services, error, request, reply)
  }
  const seconds = (services.clock.elapsedMs() - from) / 1000
  services.inFlight.end()
  services.requests.add(mount.path, request.method, { status: reply.raw.statusCode, seconds })
}

async function callOf(
  { route, base, lists }: Mount,
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Omit<Call, 'receivedAt'>> {
  const { directory, settings } = services
  const raw = request.query as Record<string, string>
  const params = request.params as Record<string, string>
  const { headers } = request
  let credential = OPEN
  let account = ''
  if (route.scope !== 'open') {
    credential = await credentialOf(services, route, {
      authorization: headers.authorization,
      token: raw['access_token'],
    })
    demandTenant(credential, one(headers['x-tenant-id']), settings.requireTenantHeader)
    demandScope(credential, route.scope)
    if (route.account !== 'none') {
      const named = params['account'] ?? one(headers['x-account-id'])
      if (named !== undefined || route.account === 'needed') account = await accountOf(credential, directory, named)
    }
  }
  if (route.live !== true) demandAcceptable(headers.accept, acceptable(route))
  const query = route.query === undefined ? {} : readQuery(route.query, raw)
  const place =
    params['account'] === undefined ? base : base.replace('{account}', encodeURIComponent(params['account']))
  return { services, route: route.name, request, reply, credential, account, params, query, base: place, lists }
}

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

const acceptableOf = new Map<Route, readonly string[]>()

/** The types of a route's answers. */
function acceptable(route: Route): readonly string[] {
  const known = acceptableOf.get(route)
  if (known !== undefined) return known
  const types = new Set(Object.values(route.answers).flatMap(({ content = {} }) => Object.keys(content)))
  const all = types.size === 0 || types.has('application/json') ? [...new Set([...JSON_TYPES, ...types])] : [...types]
  acceptableOf.set(route, all)
  return all
}

async function sendAnswer(
  { status, text, headers = {} }: Answer,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  reply.code(status)
  for (const name in headers) reply.header(name, headers[name])
  if (text === undefined) {
    reply.send()
    return
  }
  if (headers['content-type'] === undefined) reply.header('content-type', 'application/json; charset=utf-8')
  await sendText(text, request, reply)
}

async function sendText(text: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const accepted = request.headers['accept-encoding']
  const packed = accepted === undefined ? undefined : await compressed(text, accepted)
  if (packed === undefined) {
    reply.send(text)
    return
  }
  reply.header('content-encoding', packed.encoding).header('vary', 'accept-encoding').send(packed.bytes)
}

/** Answers with the fault; one that nobody was meant to see is logged with its trace. */
export async function sendProblem(
  { log, deadlines }: Services,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const problem = problemOf(error)
  const traceId = traceIdOf(request.headers['traceparent'])
  const instance = request.url.split('?')[0]!
  if (problem.status >= 500 && problem.status !== 501) {
    const fault = error instanceof Error ? error.stack : String(error)
    log.error(
      { trace_id: traceId, method: request.method, path: instance, code: problem.code, error: fault },
      problem.detail,
    )
  }
  if (reply.raw.headersSent) {
    reply.raw.destroy()
    return
  }
  letGo(request.raw, deadlines)
  const wrote = request.method !== 'GET' && request.method !== 'HEAD'
  const text = problemText(problem, { instance, traceId, wrote })
  for (const name in problem.headers) reply.header(name, problem.headers[name])
  reply.code(problem.status).header('content-type', PROBLEM_TYPE)
  await sendText(text, request, reply)
}

/** A path that is not there, or not with that method. */
async function answerUnknown(
  mounts: readonly Mount[],
  services: Services,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const path = request.url.split('?')[0]!
  services.requests.add('other', 'other', { status: 404, seconds: 0 })
  const allowed = [...new Set(mounts.filter(({ matches }) => matches.test(path)).flatMap(methodsOf))]
  if (allowed.length === 0) {
    await sendProblem(services, refusal('not_found', `no such path: ${path.slice(0, PARAMETER_MAX)}`), request, reply)
    return
  }
  const allow = [...allowed, 'OPTIONS'].join(', ')
  if (request.method === 'OPTIONS') {
    reply.code(204).header('allow', allow).send()
    return
  }
  const fault = refusal('method_not_allowed', `${request.method} is not a method of this path`, { headers: { allow } })
  await sendProblem(services, fault, request, reply)
}

const methodsOf = ({ route: { method, live } }: Mount): readonly string[] =>
  method === 'GET' && live !== true ? ['GET', 'HEAD'] : [method]
