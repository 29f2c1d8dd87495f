import { Type } from 'typebox'
import { SEQUENCE_MAX } from '../../datastreams/frame.ts'
import { timeOf } from '../../datastreams/frame-fields.ts'
import { cursorText, positionScope, readCursor } from '../access/cursor.ts'
import { accepts, demandAcceptable } from '../http/negotiate.ts'
import { refusal } from '../http/problem.ts'
import { expiredAt, type LiveFrom } from '../live/live-source.ts'
import { ANSWERED, type Answer, type Call, type Route, route } from '../route.ts'
import { frameAnswer, frameText } from '../shapes/frame-shape.ts'
import { limitParameter } from '../shapes/list-shape.ts'
import { demandStream, parameterFault, statusesOf } from './frame-routes.ts'

const EVENTS = 'text/event-stream'

const liveQuery = Type.Object({
  cursor: Type.Optional(Type.String({ description: 'frames behind it' })),
  last_event_id: Type.Optional(Type.String({ description: 'as the header Last-Event-ID, for who cannot send it' })),
  from: Type.Optional(
    Type.String({ maxLength: 40, description: 'without a cursor: latest (default), earliest, a sequence, or a time' }),
  ),
  filter: Type.Optional(Type.String({ description: 'status:late,error' })),
  wait: Type.Optional(Type.Integer({ minimum: 0, description: 'long-poll: seconds to wait for a frame' })),
  limit: limitParameter,
})
type LiveQuery = Type.Static<typeof liveQuery>

const pollAnswer = Type.Object({
  data: Type.Array(frameAnswer),
  next_cursor: Type.String(),
  has_more: Type.Boolean(),
})

export const liveRoutes: readonly Route[] = [
  route({
    name: 'subscribe',
    method: 'GET',
    place: 'streams',
    path: '/{stream}/subscribe',
    summary: 'Frames as they are committed: server-sent events, or long-poll',
    scope: 'streams:read',
    account: 'needed',
    token: true,
    live: true,
    query: liveQuery,
    headers: Type.Object({
      'last-event-id': Type.Optional(Type.String({ description: 'the cursor of the last event' })),
    }),
    answers: {
      200: {
        description: 'events: ready, frame, reset, end, lagged, resume; or, for long-poll, the frames that are there',
        content: { [EVENTS]: Type.String(), 'application/json': pollAnswer },
        headers: ['next-cursor'],
      },
      204: { description: 'nothing came in time', headers: ['next-cursor'] },
    },
    handle: async (call) => {
      const { accept = '*/*', upgrade } = call.request.headers
      if (upgrade?.toLowerCase() === 'websocket') throw refusal('not_implemented', 'WebSocket is not built yet')
      await demandStream(call)
      // It also tells who may not read from who comes back too late.
      await call.services.streams.getStream(call.account, call.params['stream']!)
      if (accept.includes(EVENTS) && accepts(accept, EVENTS)) return await openEvents(call)
      demandAcceptable(accept, ['application/json', EVENTS])
      return await poll(call)
    },
  }),
]

/** The position behind which this reader begins. What a browser sends by itself knows most. */
async function startOf({ services, account, params, query, request }: Call<LiveQuery>): Promise<bigint> {
  const id = params['stream']!
  const header = request.headers['last-event-id']
  const cursor = [typeof header === 'string' ? header.trim() : '', query.last_event_id, query.cursor].find(
    (text) => text !== undefined && text !== '',
  )
  if (cursor !== undefined) return readCursor(services.signer, positionScope(id), cursor)[0]
  return await services.live.startPosition(account, id, fromOf(query.from))
}

function fromOf(text = 'latest'): LiveFrom {
  if (text === 'latest' || text === 'earliest') return text
  if (/^\d{1,19}$/.test(text) && BigInt(text) <= SEQUENCE_MAX) return { sequence: BigInt(text) }
  const time = timeOf(text.replace(/ (?=\d\d:\d\d$)/, '+'))
  if (time !== undefined) return { time }
  throw parameterFault('from', 'must be latest, earliest, a sequence or an RFC 3339 time')
}

function filterOf({ filter }: LiveQuery) {
  if (filter === undefined) return undefined
  const [, statuses] = /^status:(.+)$/.exec(filter) ?? []
  if (statuses === undefined) throw parameterFault('filter', 'must be status: and statuses with commas')
  return statusesOf('filter', statuses)
}

async function openEvents(call: Call<LiveQuery>): Promise<typeof ANSWERED> {
  const { services, reply, account, params } = call
  const statuses = filterOf(call.query)
  const position = await startOf(call)
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': EVENTS,
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  })
  services.hub.openSse(reply.raw, { accountId: account, streamId: params['stream']!, statuses, position })
  return ANSWERED
}

async function poll(call: Call<LiveQuery>): Promise<Answer> {
  const { services, account, params, query, reply } = call
  const { settings, live, hub, signer, clock } = services
  const id = params['stream']!
  const statuses = filterOf(query)
  const cursorOf = (position: bigint): string => cursorText(signer, { scope: positionScope(id), values: [position] })
  const limit = Math.min(query.limit ?? settings.defaultLimit, settings.maxLimit)
  const waitMs = Math.min((query.wait ?? 0) * 1000, settings.longPollMaxMs)
  let after = await startOf(call)
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const over = AbortSignal.any([gone.signal, hub.stopped])
  const follower = live.follow(id)
  const limited = new AbortController()
  hub.counters.subscribers.poll++
  try {
    const timeUp = waitMs === 0 ? undefined : clock.sleep(waitMs, AbortSignal.any([over, limited.signal]))
    let isUp = waitMs === 0
    void timeUp?.then(() => {
      isUp = true
      limited.abort()
    })
    for (;;) {
      const { frames, next, upToDate } = await live.read(account, id, { after, limit, statuses })
      after = next
      if (frames.length > 0) {
        hub.counters.delivered.poll += frames.length
        const cursor = cursorOf(next)
        const text = `{"data":[${frames.map(frameText).join(',')}],"next_cursor":"${cursor}","has_more":${!upToDate}}`
        return { status: 200, text, headers: { 'next-cursor': cursor } }
      }
      if (!upToDate) continue
      if (isUp || over.aborted || follower.deleted) return { status: 204, headers: { 'next-cursor': cursorOf(next) } }
      await follower.wait(limited.signal)
    }
  } catch (error) {
    const earliest = expiredAt(error)
    if (earliest === undefined) throw error
    throw refusal('cursor_expired', 'the frames behind the cursor are gone', { earliest_cursor: cursorOf(earliest) })
  } finally {
    hub.counters.subscribers.poll--
    limited.abort()
    follower.close()
  }
}
