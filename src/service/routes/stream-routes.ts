import { Type } from 'typebox'
import { NotFoundError } from '../../datastreams/errors.ts'
import { STREAM_STATUSES, type Stream } from '../../datastreams/stream.ts'
import { accountOf } from '../access/account.ts'
import { cursorText, readCursor } from '../access/cursor.ts'
import { bodyText } from '../http/body.ts'
import { once } from '../http/idempotency.ts'
import { demandMediaType } from '../http/negotiate.ts'
import { refusal } from '../http/problem.ts'
import { type Answer, type Call, json, type Route, route } from '../route.ts'
import { jsonObject } from '../shapes/frame-shape.ts'
import { limitParameter, listAnswers, listed } from '../shapes/list-shape.ts'
import { streamAnswer, streamBody, streamInput, streamPatch, streamTag, streamText } from '../shapes/stream-shape.ts'

const JSON_TYPE = ['application/json']
const tag = Type.Optional(Type.String({ description: 'the ETag that is changed' }))
const ifMatch = Type.Object({ 'if-match': tag })
const idempotencyKey = Type.Optional(Type.String({ description: 'a repeat of the request gets its answer again' }))

const listQuery = Type.Object({
  limit: limitParameter,
  cursor: Type.Optional(Type.String({ description: 'where the page before ended' })),
  status: Type.Optional(Type.Enum([...STREAM_STATUSES])),
  symbol: Type.Optional(Type.String()),
  name_prefix: Type.Optional(Type.String()),
})

const streamOk = { description: 'the stream', content: json(streamAnswer), headers: ['etag'] }

export const streamRoutes: readonly Route[] = [
  route({
    name: 'listStreams',
    method: 'GET',
    place: 'streams',
    path: '',
    short: '',
    summary: 'Streams of an account, newest first',
    scope: 'streams:read',
    account: 'needed',
    query: listQuery,
    answers: { 200: listAnswers('streams', streamAnswer) },
    handle: async (call) => {
      const { services, account, query, lists } = call
      const { settings, signer, streams } = services
      const limit = Math.min(
        query.limit ?? (lists === 'array' ? settings.maxLimit : settings.defaultLimit),
        settings.maxLimit,
      )
      const { status, name_prefix: namePrefix } = query
      const symbol = query.symbol?.trim().toUpperCase()
      const scope = `streams ${JSON.stringify([account, status, symbol, namePrefix])}`
      const [createdAt, id] = query.cursor === undefined ? [] : readCursor(signer, scope, query.cursor)
      const filter = { status, symbol, namePrefix }
      const after = id === undefined ? undefined : { createdAt: Number(createdAt), id }
      const page = await streams.listStreams(account, { ...filter, limit, after })
      const last = page.length === limit ? page.at(-1) : undefined
      const more =
        last !== undefined && (await streams.listStreams(account, { ...filter, limit: 1, after: last })).length > 0
      const next = more ? cursorText(signer, { scope, values: [BigInt(last.createdAt), last.id] }) : undefined
      return listed(call, page.map(streamText), next)
    },
  }),
  route({
    name: 'createStream',
    method: 'POST',
    place: 'streams',
    path: '',
    short: '',
    summary: 'Create a stream',
    scope: 'streams:admin',
    account: 'body',
    headers: Type.Object({ 'idempotency-key': idempotencyKey }),
    body: { content: json(streamBody), required: true },
    answers: { 201: { description: 'created', content: json(streamAnswer), headers: ['etag', 'location'] } },
    handle: async (call) => {
      const text = await jsonText(call)
      const body = jsonObject(text).values
      const accountId = await accountOfBody(call, body['account_id'])
      return await once({ ...call, account: accountId }, text, async () => {
        const stream = await call.services.streams.createStream({ ...streamInput(body), accountId })
        const headers = { etag: streamTag(stream), location: `${call.base}/${stream.id}` }
        return { status: 201, text: streamText(stream), headers }
      })
    },
  }),
  route({
    name: 'getStream',
    method: 'GET',
    place: 'streams',
    path: '/{stream}',
    short: '/{stream}',
    summary: 'One stream',
    scope: 'streams:read',
    account: 'needed',
    headers: Type.Object({ 'if-none-match': Type.Optional(Type.String()) }),
    answers: { 200: streamOk, 304: { description: 'not changed', headers: ['etag'] } },
    handle: async (call) => {
      const stream = await ownStream(call)
      const etag = streamTag(stream)
      const known = call.request.headers['if-none-match']
      if (known !== undefined && tagsOf(known).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag)) {
        return { status: 304, headers: { etag } }
      }
      return streamOf(stream)
    },
  }),
  route({
    name: 'patchStream',
    method: 'PATCH',
    place: 'streams',
    path: '/{stream}',
    short: '/{stream}',
    summary: 'Change single fields of a stream',
    scope: 'streams:admin',
    account: 'needed',
    headers: Type.Object({ 'if-match': tag, 'idempotency-key': idempotencyKey }),
    body: { content: json(streamPatch), required: true },
    answers: { 200: streamOk },
    handle: async (call) => {
      const text = await jsonText(call)
      const patch = streamInput(jsonObject(text).values)
      return await once(call, text, async () => {
        const version = await versionToChange(call)
        return streamOf(await call.services.streams.patchStream(call.account, call.params['stream']!, patch, version))
      })
    },
  }),
  route({
    name: 'replaceStream',
    method: 'PUT',
    place: 'streams',
    path: '/{stream}',
    short: '/{stream}',
    summary: 'Replace all fields of a stream; absent ones take their defaults',
    scope: 'streams:admin',
    account: 'needed',
    headers: ifMatch,
    body: { content: json(streamBody), required: true },
    answers: { 200: streamOk },
    handle: async (call) => {
      const input = streamInput(await objectBody(call))
      const version = await versionToChange(call)
      return streamOf(await call.services.streams.updateStream(call.account, call.params['stream']!, input, version))
    },
  }),
  route({
    name: 'deleteStream',
    method: 'DELETE',
    place: 'streams',
    path: '/{stream}',
    short: '/{stream}',
    summary: 'Delete a stream with its frames',
    scope: 'streams:admin',
    account: 'needed',
    headers: ifMatch,
    answers: { 204: { description: 'deleted' } },
    handle: async (call) => {
      await versionToChange(call)
      await call.services.streams.deleteStream(call.account, call.params['stream']!)
      return { status: 204 }
    },
  }),
]

const streamOf = (stream: Stream): Answer => ({
  status: 200,
  text: streamText(stream),
  headers: { etag: streamTag(stream) },
})

/** The stream of the path. A key may be limited to some streams. */
export async function ownStream({ services, account, params, credential }: Call): Promise<Stream> {
  const id = params['stream']!
  const stream = await services.streams.getStream(account, id)
  const { streams } = credential
  if (streams !== null && !streams.includes(id))
    throw refusal('forbidden', `forbidden: the credential may not use stream ${id}`)
  return stream
}

/** The text of a JSON body. */
export async function jsonText({ request, services }: Call): Promise<string> {
  demandMediaType(request.headers['content-type'], JSON_TYPE)
  return await bodyText(request.raw, services.settings.maxBodyBytes, services.deadlines)
}

export const objectBody = async (call: Call): Promise<Readonly<Record<string, unknown>>> =>
  jsonObject(await jsonText(call)).values

/** The account that path, header or body name; all that do must agree. */
async function accountOfBody({ account, credential, services }: Call, given: unknown): Promise<string> {
  if (given !== undefined && given !== null && typeof given !== 'string') throw accountFault('type', 'must be a text')
  const named = given?.trim() ?? ''
  if (account === '') return await accountOf(credential, services.directory, named)
  if (named !== '' && named !== account) throw accountFault('enum', 'is not the account of the request')
  return account
}

const accountFault = (code: string, detail: string) =>
  refusal('validation', `account_id: ${detail}`, { errors: [{ pointer: '/account_id', code, detail }] })

const tagsOf = (header: string): readonly string[] => header.split(',').map((tag) => tag.trim())

/**
 * The version that `If-Match` names, undefined without one. Throws `precondition_failed` when none of its tags is that
 * of the stream.
 */
async function versionToChange(call: Call): Promise<number | undefined> {
  const header = call.request.headers['if-match']
  if (header === undefined && call.services.settings.requireIfMatch) {
    await ownStream(call)
    throw refusal('precondition_required', 'If-Match is required')
  }
  if (header === undefined && call.credential.streams === null) return undefined
  const stream = await ownStream(call)
  if (header === undefined || header.trim() === '*') return undefined
  if (tagsOf(header).includes(streamTag(stream))) return stream.version
  throw refusal('precondition_failed', `stream ${stream.id} has version ${stream.version}, not ${header.slice(0, 40)}`)
}

export const missingFrame = (streamId: string, sequence: string) =>
  new NotFoundError(`stream ${streamId} has no frame ${sequence}`)
