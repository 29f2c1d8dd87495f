import { type TSchema, Type } from 'typebox'
import type { FrameOutcome } from '../../datastreams/service.ts'
import { bodyText } from '../http/body.ts'
import { once } from '../http/idempotency.ts'
import { demandMediaType } from '../http/negotiate.ts'
import { within } from '../http/within.ts'
import { contextOf, ingestGathered, ingestStreamed, isMarked, keptOr } from '../ingest/ingest.ts'
import { marksOf, PRODUCER, WRITER } from '../ingest/marks.ts'
import { type Answer, type Call, json, type Route, route } from '../route.ts'
import { frameAnswer, frameBody, frameInput, frameText } from '../shapes/frame-shape.ts'
import { demandStream } from './frame-routes.ts'

const NDJSON = 'application/x-ndjson'

const resultAnswer = Type.Union([
  Type.Object({
    index: Type.Integer({ minimum: 0 }),
    status: Type.Enum(['created', 'duplicate']),
    sequence: Type.Optional(Type.String({ pattern: '^[0-9]+$' })),
    position: Type.Optional(Type.String({ pattern: '^[0-9]+$' })),
  }),
  Type.Object({
    index: Type.Integer({ minimum: 0 }),
    status: Type.Enum(['error']),
    code: Type.String(),
    error: Type.String(),
  }),
  Type.Object({
    summary: Type.Object({ created: Type.Integer(), duplicate: Type.Integer(), failed: Type.Integer() }),
  }),
])
const lines = (of: string): Readonly<Record<string, TSchema>> => ({ [NDJSON]: Type.String({ description: of }) })

const batchQuery = Type.Object({
  atomic: Type.Optional(Type.Boolean({ description: 'all frames or none; at most 1,000 and 1 MiB' })),
})

const frameOk = json(frameAnswer)
const REPLAY = { 'idempotent-replay': 'true' }
const repeated = Type.Object({ status: Type.Enum(['duplicate']) })
const appendHeaders = Type.Object(
  Object.fromEntries(
    [...PRODUCER, ...WRITER, 'idempotency-key', 'traceparent'].map((name) => [name, Type.Optional(Type.String())]),
  ),
)

export const appendRoutes: readonly Route[] = [
  route({
    name: 'createFrame',
    method: 'POST',
    place: 'streams',
    path: '/{stream}/frames',
    short: '/{stream}/frames',
    summary: 'Store a frame; as NDJSON: many, streamed, each answered by a line',
    scope: 'streams:append',
    account: 'needed',
    query: batchQuery,
    headers: appendHeaders,
    body: { content: { ...json(frameBody), ...lines('one frame a line') }, required: true },
    answers: {
      200: {
        description: 'the same frame was stored before; of NDJSON: a result a line',
        content: { ...json(Type.Union([frameAnswer, repeated])), ...lines('one result a line, then the summary') },
        headers: ['idempotent-replay'],
      },
      201: {
        description: 'stored',
        content: { ...frameOk, ...lines('results of an atomic batch') },
        headers: ['location'],
      },
    },
    handle: async (call) => {
      const type = demandMediaType(call.request.headers['content-type'], ['application/json', NDJSON])
      await demandStream(call)
      if (type !== NDJSON) return await createOne(call)
      const atomic = call.query.atomic === true
      return atomic || isMarked(call)
        ? await ingestGathered(call, { ndjson: true, atomic })
        : await ingestStreamed(call)
    },
  }),
  route({
    name: 'createFrames',
    method: 'POST',
    place: 'streams',
    path: '/{stream}/frames/batch',
    summary: 'Store an array of frames',
    scope: 'streams:append',
    account: 'needed',
    query: batchQuery,
    headers: appendHeaders,
    body: { content: json(Type.Array(frameBody)), required: true },
    answers: {
      200: { description: 'a result for each frame, then the summary', content: json(Type.Array(resultAnswer)) },
      201: { description: 'all are stored', content: json(Type.Array(resultAnswer)) },
    },
    handle: async (call) => {
      demandMediaType(call.request.headers['content-type'], ['application/json'])
      await demandStream(call)
      return await ingestGathered(call, { ndjson: false, atomic: call.query.atomic === true })
    },
  }),
]

async function createOne(call: Call): Promise<Answer> {
  const { services, request, account, params } = call
  const { settings, streams, deadlines } = services
  const id = params['stream']!
  const text = await bodyText(request.raw, settings.maxBodyBytes, deadlines)
  const input = frameInput(text, contextOf(call), settings.maxFrameBytes)
  const marks = marksOf(request.headers)
  const answerOf = ([outcome]: readonly FrameOutcome[]): Answer => frameAnswerOf(call, outcome!)
  return await once(
    call,
    text,
    async (keyed) => {
      const idempotency = keyed && { ...keyed, answer: keptOr(answerOf) }
      const stored = streams.createFrames(account, id, [input], { ...marks, idempotency })
      return answerOf(await within(stored, settings.commitWaitMs, deadlines))
    },
    'with the frames',
  )
}

function frameAnswerOf({ base, params }: Call, outcome: FrameOutcome): Answer {
  if (outcome.status === 'error') throw outcome.error
  if (outcome.status === 'repeated') return { status: 200, text: '{"status":"duplicate"}', headers: REPLAY }
  const { frame } = outcome
  if (outcome.status === 'duplicate') return { status: 200, text: frameText(frame), headers: REPLAY }
  return {
    status: 201,
    text: frameText(frame),
    headers: { location: `${base}/${params['stream']}/frames/${frame.sequence}` },
  }
}
