import { type TSchema, Type } from 'typebox'
import { bodyText } from '../http/body.ts'
import { demandMediaType } from '../http/negotiate.ts'
import { within } from '../http/within.ts'
import { contextOf, ingestGathered, ingestStreamed } from '../ingest/ingest.ts'
import { type Answer, type Call, json, type Route, route } from '../route.ts'
import { frameAnswer, frameBody, frameInput, frameText } from '../shapes/frame-shape.ts'
import { demandStream } from './frame-routes.ts'

const NDJSON = 'application/x-ndjson'

const resultAnswer = Type.Union([
  Type.Object({
    index: Type.Integer({ minimum: 0 }),
    status: Type.Enum(['created', 'duplicate']),
    sequence: Type.String({ pattern: '^[0-9]+$' }),
    position: Type.String({ pattern: '^[0-9]+$' }),
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
    body: { content: { ...json(frameBody), ...lines('one frame a line') }, required: true },
    answers: {
      200: {
        description: 'the same frame was stored before; of NDJSON: a result a line',
        content: { ...frameOk, ...lines('one result a line, then the summary') },
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
      return atomic ? await ingestGathered(call, { ndjson: true, atomic }) : await ingestStreamed(call)
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
  const [outcome] = await within(streams.createFrames(account, id, [input]), settings.commitWaitMs, deadlines)
  if (outcome!.status === 'error') throw outcome!.error
  const { frame } = outcome!
  if (outcome!.status === 'duplicate') {
    return { status: 200, text: frameText(frame), headers: { 'idempotent-replay': 'true' } }
  }
  return { status: 201, text: frameText(frame), headers: { location: `${call.base}/${id}/frames/${frame.sequence}` } }
}
