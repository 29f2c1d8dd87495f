import { Type } from 'typebox'
import { type Call, json, type Route, route } from '../route.ts'
import { envelope, envelopeOf } from '../shapes/list-shape.ts'
import { isoTime } from '../shapes/time-text.ts'

const deadAnswer = Type.Object({
  stream_id: Type.String(),
  position_str: Type.String({ pattern: '^[0-9]+$' }),
  attempts: Type.Integer({ minimum: 0 }),
  error: Type.String(),
  at: Type.String({ format: 'date-time' }),
})

export const outboxRoutes: readonly Route[] = [
  route({
    name: 'listDead',
    method: 'GET',
    place: 'v1',
    path: '/outbox',
    summary: 'Frames of the tenant that the bus refused for good, newest first',
    scope: 'streams:admin',
    account: 'none',
    answers: { 200: { description: 'refused frames', content: json(envelope(deadAnswer)) } },
    handle: async (call) => {
      const { streams, settings } = call.services
      const { dead } = await streams.outbox(settings.maxLimit)
      const own = []
      for (const { streamId, position, attempts, error, at } of dead) {
        if (!(await isOwn(call, streamId))) continue
        own.push({ stream_id: streamId, position_str: String(position), attempts, error, at: isoTime(at) })
      }
      return { status: 200, text: envelopeOf(own) }
    },
  }),
]

/** Of the tenant, and of an account and a stream that the credential may use. */
async function isOwn({ services, credential }: Call, streamId: string): Promise<boolean> {
  const stream = await services.store.getStream(streamId)
  if (stream === undefined || credential.streams?.includes(streamId) === false) return false
  if (credential.accounts?.includes(stream.accountId) === false) return false
  return (await services.directory.tenantOf(stream.accountId)) === credential.tenant
}
