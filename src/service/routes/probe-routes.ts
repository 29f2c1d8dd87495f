import { type TSchema, Type } from 'typebox'
import { type Answer, type Call, json, type Route, route } from '../route.ts'

const probe = Type.Object({
  status: Type.String(),
  missing: Type.Optional(Type.Array(Type.String())),
  failing: Type.Optional(Type.Array(Type.Object({ component: Type.String(), cause: Type.String() }))),
})

type Judge = (call: Call) => Promise<Answer> | Answer

/** A probe needs no credential and names nothing of a tenant; it answers under each of its names. */
function probes(
  paths: readonly string[],
  name: string,
  summary: string,
  judge: Judge,
  schema: TSchema = probe,
): readonly Route[] {
  return paths.map((path, i) =>
    route({
      name: i === 0 ? name : `${name}${i + 1}`,
      method: 'GET',
      place: 'root',
      path,
      summary,
      scope: 'open',
      account: 'none',
      answers: {
        200: { description: 'yes', content: json(schema) },
        503: { description: 'no', content: { ...json(schema) } },
      },
      handle: judge,
    }),
  )
}

const answer = (ok: boolean, body: object): Answer => ({
  status: ok ? 200 : 503,
  text: JSON.stringify(body),
  headers: { 'cache-control': 'no-store', ...(ok ? {} : { 'retry-after': '1' }) },
})

/** The event loop answers. */
const live: Judge = () => answer(true, { status: 'ok' })

const startup: Judge = ({ services: { lifecycle } }) =>
  lifecycle.started ? answer(true, { status: 'ok' }) : answer(false, { status: 'starting', missing: lifecycle.missing })

const ready: Judge = async ({ services: { lifecycle, streams } }) => {
  if (!lifecycle.started) return answer(false, { status: 'starting', missing: lifecycle.missing })
  if (lifecycle.draining) return answer(false, { status: 'draining' })
  const { state, cause } = await streams.health()
  if (state !== 'unhealthy') return answer(true, { status: 'ok' })
  return answer(false, { status: 'unready', failing: [{ component: 'streams', cause: shown(cause) }] })
}

const health: Judge = async ({ services: { streams } }) => {
  const { state, cause } = await streams.health()
  const failing = cause === undefined ? {} : { failing: [{ component: 'streams', cause: shown(cause) }] }
  return answer(state !== 'unhealthy', { status: state, ...failing })
}

/** The kind of the cause alone: what stands behind it may name paths. */
const shown = (cause = ''): string => cause.split(':')[0]!

export const probeRoutes: readonly Route[] = [
  ...probes(['/livez', '/health/live'], 'livez', 'The process answers', live),
  ...probes(['/startupz'], 'startupz', 'The start is done', startup),
  ...probes(['/readyz', '/health/ready', '/ready'], 'readyz', 'Requests may be sent here', ready),
  ...probes(['/health', '/healthz'], 'health', 'Healthy or degraded', health),
]
