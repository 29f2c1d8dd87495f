import { Type } from 'typebox'
import { packageVersion } from '../../core/version.ts'
import { SCOPES } from '../../datastreams/api-keys.ts'
import { NotFoundError } from '../../datastreams/errors.ts'
import { streamOfTopic } from '../../datastreams/push.ts'
import { accountOf } from '../access/account.ts'
import { bodyText } from '../http/body.ts'
import { demandMediaType } from '../http/negotiate.ts'
import { refusal } from '../http/problem.ts'
import { traceparentOf } from '../http/trace.ts'
import { within } from '../http/within.ts'
import { type Call, json, type Route, route } from '../route.ts'
import { jsonObject } from '../shapes/frame-shape.ts'
import { ownStream } from './stream-routes.ts'

const anything = Type.Record(Type.String(), Type.Unknown())
const pushBody = Type.Object(
  { topic: Type.String({ minLength: 1 }), payload: anything },
  { examples: [{ topic: 'datastreams/0192f0c4-0000-7000-8000-000000000000', payload: { price: 1850.5 } }] },
)
const statusAnswer = Type.Object({
  status: Type.String(),
  version: Type.String(),
  uptime_s: Type.Integer({ minimum: 0 }),
  subscribers: Type.Integer({ minimum: 0 }),
  outbox: Type.Object({ entries: Type.Integer({ minimum: 0 }), oldest_s: Type.Number({ minimum: 0 }) }),
})

export const systemRoutes: readonly Route[] = [
  route({
    name: 'pushData',
    method: 'POST',
    place: 'root',
    path: '/system/data',
    summary: 'A frame for whichever account owns the stream of a topic',
    scope: 'bus:push',
    account: 'none',
    body: { content: json(pushBody), required: true },
    answers: { 200: { description: 'stored', content: json(Type.Object({ status: Type.Enum(['ok']) })) } },
    handle: async (call) => {
      const { services, request } = call
      demandMediaType(request.headers['content-type'], ['application/json'])
      const text = await bodyText(request.raw, services.settings.busMaxBytes, services.deadlines)
      const { values } = jsonObject(text)
      const { topic, payload } = values
      if (typeof topic !== 'string' || topic.trim() === '') throw refusal('bad_request', 'topic: is required')
      if (services.streams.manifest().bus === 'none') throw refusal('not_implemented', 'the service has no bus')
      await demandTopic(call, streamOfTopic(topic))
      const pushed = services.streams.push(topic, payload, {
        traceparent: traceparentOf(request.headers['traceparent']),
      })
      await within(pushed, services.settings.commitWaitMs, services.deadlines)
      return { status: 200, text: '{"status":"ok"}' }
    },
  }),
  route({
    name: 'systemStatus',
    method: 'GET',
    place: 'root',
    path: '/system/status',
    summary: 'How the service is',
    scope: 'streams:read',
    account: 'none',
    answers: { 200: { description: 'state', content: json(statusAnswer) } },
    handle: async ({ services: { streams, clock, startedAtMs } }) => {
      const { state } = await streams.health()
      const { outbox } = streams.observe()
      const body = {
        status: state,
        version: packageVersion(),
        uptime_s: Math.floor((clock.elapsedMs() - startedAtMs) / 1000),
        subscribers: streams.subscribers(),
        outbox: { entries: outbox.entries, oldest_s: outbox.oldestSeconds },
      }
      return { status: 200, text: JSON.stringify(body) }
    },
  }),
  route({
    name: 'systemDescriptor',
    method: 'GET',
    place: 'root',
    path: '/system/descriptor',
    summary: 'What the package is and needs',
    scope: 'streams:read',
    account: 'none',
    answers: { 200: { description: 'descriptor', content: json(anything) } },
    handle: ({ services }) => ({ status: 200, text: JSON.stringify(services.streams.descriptor()) }),
  }),
  route({
    name: 'systemManifest',
    method: 'GET',
    place: 'root',
    path: '/system/manifest',
    summary: 'The descriptor with version, endpoints, scopes and limits',
    scope: 'streams:read',
    account: 'none',
    answers: { 200: { description: 'manifest', content: json(anything) } },
    handle: ({ services: { streams, settings, endpoints } }) => {
      const limits = {
        default_limit: settings.defaultLimit,
        max_limit: settings.maxLimit,
        max_body_bytes: settings.maxBodyBytes,
        max_frame_bytes: settings.maxFrameBytes,
        bus_max_bytes: settings.busMaxBytes,
        long_poll_max_s: settings.longPollMaxMs / 1000,
      }
      return { status: 200, text: JSON.stringify(streams.manifest({ endpoints, scopes: SCOPES, limits })) }
    },
  }),
]

/** The stream of a topic must be one that the credential may use; those of other tenants are not there. */
async function demandTopic(call: Call, streamId: string): Promise<void> {
  const { services, credential } = call
  const stream = await services.store.getStream(streamId)
  const missing = new NotFoundError(`stream ${streamId} not found`)
  if (stream === undefined) throw missing
  if ((await services.directory.tenantOf(stream.accountId)) !== credential.tenant) throw missing
  const account = await accountOf(credential, services.directory, stream.accountId)
  await ownStream({ ...call, account, params: { stream: streamId } })
}
