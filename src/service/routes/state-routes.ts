import { Type } from 'typebox'
import { parseDuration } from '../../core/option-text.ts'
import { NotFoundError } from '../../datastreams/errors.ts'
import type { WriterMark } from '../../datastreams/store.ts'
import { wholeOf } from '../ingest/marks.ts'
import { json, type Route, route } from '../route.ts'
import { jsonObject } from '../shapes/frame-shape.ts'
import { isoTime } from '../shapes/time-text.ts'
import { demandStream, parameterFault } from './frame-routes.ts'
import { jsonText } from './stream-routes.ts'

const DAY_MS = 86_400_000
const count = Type.Integer({ minimum: 0 })
const optionalMs = Type.Union([Type.Number(), Type.Null()])
const optionalTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
const digits = Type.String({ pattern: '^[0-9]+$' })
const optionalDigits = Type.Union([digits, Type.Null()])

const slaAnswer = Type.Object({
  window: Type.Integer({ description: 'milliseconds' }),
  total: count,
  ok: count,
  late: count,
  error: count,
  missing: count,
  out_of_order: count,
  gaps: count,
  ok_ratio: Type.Union([Type.Number(), Type.Null()]),
  latency_ms: Type.Object({ p50: optionalMs, p95: optionalMs, p99: optionalMs, max: optionalMs }),
  last_frame_at: optionalTime,
  stalled: Type.Boolean(),
})

const statsAnswer = Type.Object({
  frames: count,
  bytes: count,
  first_position: Type.Union([count, Type.Null()]),
  first_position_str: optionalDigits,
  last_position: count,
  last_position_str: digits,
  first_sequence: Type.Union([count, Type.Null()]),
  first_sequence_str: optionalDigits,
  last_sequence: Type.Union([count, Type.Null()]),
  last_sequence_str: optionalDigits,
  gaps: count,
  last_frame_at: optionalTime,
  subscribers: count,
})

const writerAnswer = Type.Object({ writer: Type.String(), incarnation: digits, epoch: digits, chunk: digits })
const writerOk = { 200: { description: 'what the writer has stored last', content: json(writerAnswer) } }
const writerBody = Type.Object({ incarnation: Type.Union([count, digits]) }, { examples: [{ incarnation: '7' }] })

export const stateRoutes: readonly Route[] = [
  route({
    name: 'streamSla',
    method: 'GET',
    place: 'streams',
    path: '/{stream}/sla',
    summary: 'How punctual the frames of a window were',
    scope: 'streams:read',
    account: 'needed',
    query: Type.Object({
      window: Type.Optional(Type.String({ maxLength: 20, description: 'a duration up to 24h: 5m (default), 1h, 24h' })),
    }),
    answers: { 200: { description: 'counts of the window', content: json(slaAnswer) } },
    handle: async (call) => {
      await demandStream(call)
      const windowMs = parseDuration(call.query.window ?? '5m')
      if (windowMs === undefined || windowMs < 1 || windowMs > DAY_MS) {
        throw parameterFault('window', 'must be a duration up to 24h')
      }
      const { last_frame_at: last, ...sla } = await call.services.streams.sla(
        call.account,
        call.params['stream']!,
        windowMs,
      )
      return { status: 200, text: JSON.stringify({ ...sla, last_frame_at: last === null ? null : isoTime(last) }) }
    },
  }),
  route({
    name: 'streamStats',
    method: 'GET',
    place: 'streams',
    path: '/{stream}/stats',
    summary: 'What a stream holds, and who reads it',
    scope: 'streams:read',
    account: 'needed',
    answers: { 200: { description: 'counts', content: json(statsAnswer) } },
    handle: async (call) => {
      await demandStream(call)
      const stats = await call.services.streams.stats(call.account, call.params['stream']!)
      const hasFrames = stats.lowestSequence !== undefined
      const members = [
        `"frames":${stats.frames},"bytes":${stats.bytes}`,
        exact('first_position', stats.firstPosition),
        exact('last_position', stats.lastPosition),
        exact('first_sequence', stats.lowestSequence),
        exact('last_sequence', hasFrames ? stats.highestSequence : undefined),
        `"gaps":${stats.gaps},"last_frame_at":${stats.lastFrameAt === undefined ? 'null' : `"${isoTime(stats.lastFrameAt)}"`}`,
        `"subscribers":${stats.subscribers}`,
      ]
      return { status: 200, text: `{${members.join(',')}}` }
    },
  }),
  route({
    name: 'getWriter',
    method: 'GET',
    place: 'streams',
    path: '/{stream}/writers/{writer}',
    summary: 'What the sink of a pipeline has stored last',
    scope: 'streams:append',
    account: 'needed',
    answers: writerOk,
    handle: async (call) => {
      await demandStream(call)
      const { stream = '', writer = '' } = call.params
      const mark = await call.services.streams.writer(call.account, stream, writer)
      if (mark === undefined) throw new NotFoundError(`stream ${stream} has no writer ${writer}`)
      return { status: 200, text: writerJson(writer, mark) }
    },
  }),
  route({
    name: 'claimWriter',
    method: 'POST',
    place: 'streams',
    path: '/{stream}/writers/{writer}',
    summary: 'Fence older instances of the sink of a pipeline, and see what they have stored',
    scope: 'streams:append',
    account: 'needed',
    body: { content: json(writerBody), required: true },
    answers: writerOk,
    handle: async (call) => {
      await demandStream(call)
      const { stream = '', writer = '' } = call.params
      const body = jsonObject(await jsonText(call))
      const text = body.textOf('incarnation') ?? ''
      const incarnation = wholeOf(text.replace(/^"(.*)"$/, '$1'), 'incarnation')
      const mark = await call.services.streams.claimWriter(call.account, stream, { id: writer, incarnation })
      return { status: 200, text: writerJson(writer, mark) }
    },
  }),
]

/** A 64-bit number as a literal and as a text. */
const exact = (name: string, value: bigint | undefined): string =>
  value === undefined ? `"${name}":null,"${name}_str":null` : `"${name}":${value},"${name}_str":"${value}"`

const writerJson = (writer: string, { incarnation, epoch, chunk }: Omit<WriterMark, 'id'>): string =>
  JSON.stringify({ writer, incarnation: String(incarnation), epoch: String(epoch), chunk: String(chunk) })
