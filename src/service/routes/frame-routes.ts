import { Type } from 'typebox'
import { FRAME_STATUSES, type FrameStatus, SEQUENCE_MAX } from '../../datastreams/frame.ts'
import { timeOf } from '../../datastreams/frame-fields.ts'
import type { FrameQuery } from '../../datastreams/store.ts'
import { cursorText, positionScope, readCursor } from '../access/cursor.ts'
import { refusal } from '../http/problem.ts'
import { type Call, json, type Route, route } from '../route.ts'
import { frameAnswer, frameText } from '../shapes/frame-shape.ts'
import { limitParameter, listAnswers, listed } from '../shapes/list-shape.ts'
import { missingFrame, ownStream } from './stream-routes.ts'

const sequenceParameter = (description: string) => Type.Optional(Type.String({ pattern: '^[0-9]{1,19}$', description }))
const timeParameter = (description: string) =>
  Type.Optional(Type.String({ maxLength: 40, description: `${description}: RFC 3339, or milliseconds since 1970` }))

const listQuery = Type.Object({
  limit: limitParameter,
  cursor: Type.Optional(Type.String({ description: 'where the page before ended' })),
  after: Type.Optional(
    Type.String({ description: 'a cursor of live reading: frames behind it, in the order of commits' }),
  ),
  after_sequence: sequenceParameter('only higher sequences'),
  before_sequence: sequenceParameter('only lower sequences'),
  from: timeParameter('created then or later'),
  to: timeParameter('created before'),
  status: Type.Optional(Type.String({ description: 'ok, late, error; several with commas' })),
  order: Type.Optional(Type.Enum(['desc', 'asc'])),
})

const frameOk = { description: 'the frame', content: json(frameAnswer) }

export const frameRoutes: readonly Route[] = [
  route({
    name: 'listFrames',
    method: 'GET',
    place: 'streams',
    path: '/{stream}/frames',
    short: '/{stream}/frames',
    summary: 'Frames of a stream, highest sequence first',
    scope: 'streams:read',
    account: 'needed',
    query: listQuery,
    answers: { 200: listAnswers('frames', frameAnswer) },
    handle: async (call) => {
      await demandStream(call)
      const { limit: asked, cursor, after, order = 'desc', ...filters } = call.query
      const { settings, signer, streams } = call.services
      const limit = Math.min(asked ?? settings.defaultLimit, settings.maxLimit)
      const id = call.params['stream']!
      const filter = frameFilter(filters)
      if (after !== undefined) {
        const scope = positionScope(id)
        const [position] = readCursor(signer, scope, after)
        const page = await streams.listFrames(call.account, id, {
          ...filter,
          by: 'position',
          order: 'asc',
          limit,
          after: position,
        })
        const last = page.at(-1)
        const next = last === undefined ? undefined : cursorText(signer, { scope, values: [last.position] })
        return listed(call, page.map(frameText), page.length === limit ? next : undefined, next ?? after)
      }
      const scope = `frames ${JSON.stringify([id, order, filters])}`
      const bound = cursor === undefined ? undefined : readCursor(signer, scope, cursor)[0]
      const bounds = (edge: bigint | undefined): Partial<FrameQuery> =>
        edge === undefined ? {} : order === 'asc' ? { after: edge } : { before: edge }
      const query = { ...filter, by: 'sequence', order } as const
      const page = await streams.listFrames(call.account, id, { ...query, ...bounds(bound), limit })
      const last = page.length === limit ? page.at(-1)!.sequence : undefined
      const more =
        last !== undefined &&
        (await streams.listFrames(call.account, id, { ...query, ...bounds(last), limit: 1 })).length > 0
      return listed(call, page.map(frameText), more ? cursorText(signer, { scope, values: [last] }) : undefined)
    },
  }),
  route({
    name: 'getFrame',
    method: 'GET',
    place: 'streams',
    path: '/{stream}/frames/{sequence}',
    summary: 'One frame',
    scope: 'streams:read',
    account: 'needed',
    answers: { 200: frameOk },
    handle: async (call) => {
      await demandStream(call)
      const { stream: id = '', sequence = '' } = call.params
      if (!/^\d{1,19}$/.test(sequence) || BigInt(sequence) > SEQUENCE_MAX) {
        await ownStream(call)
        throw missingFrame(id, sequence)
      }
      const frame = await call.services.streams.getFrame(call.account, id, BigInt(sequence))
      return { status: 200, text: frameText(frame) }
    },
  }),
  route({
    name: 'latestFrame',
    method: 'GET',
    place: 'streams',
    path: '/{stream}/latest',
    short: '/{stream}/latest',
    summary: 'The frame with the highest sequence',
    scope: 'streams:read',
    account: 'needed',
    answers: { 200: frameOk },
    handle: async (call) => {
      await demandStream(call)
      const frame = await call.services.streams.latestFrame(call.account, call.params['stream']!)
      return { status: 200, text: frameText(frame) }
    },
  }),
]

/** What a key that is limited to some streams may not see; the domain checks all else. */
export async function demandStream(call: Call): Promise<void> {
  if (call.credential.streams !== null) await ownStream(call)
}

interface FilterTexts {
  readonly after_sequence?: string | undefined
  readonly before_sequence?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly status?: string | undefined
}

/** Throws `bad_request`. */
function frameFilter({ after_sequence, before_sequence, from, to, status }: FilterTexts): Partial<FrameQuery> {
  return {
    after: sequenceOf('after_sequence', after_sequence),
    before: sequenceOf('before_sequence', before_sequence),
    createdFrom: instantOf('from', from),
    createdTo: instantOf('to', to),
    statuses: statusesOf('status', status),
  }
}

function sequenceOf(name: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  const sequence = BigInt(text)
  if (sequence <= SEQUENCE_MAX) return sequence
  throw parameterFault(name, `is over ${SEQUENCE_MAX}`)
}

function instantOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  // A plus sign in a query is a blank.
  const ms = timeOf(/^\d{1,16}$/.test(text) ? Number(text) : text.replace(/ (?=\d\d:\d\d$)/, '+'))
  if (ms !== undefined) return ms
  throw parameterFault(name, 'must be an RFC 3339 time or milliseconds since 1970')
}

export function statusesOf(name: string, text: string | undefined): readonly FrameStatus[] | undefined {
  if (text === undefined) return undefined
  const statuses = text
    .toLowerCase()
    .split(',')
    .map((status) => status.trim())
  const odd = statuses.find((status) => !(FRAME_STATUSES as readonly string[]).includes(status))
  if (odd !== undefined) throw parameterFault(name, `must be of ${FRAME_STATUSES.join(', ')}`)
  return statuses as FrameStatus[]
}

export const parameterFault = (name: string, detail: string) =>
  refusal('bad_request', `${name}: ${detail}`, { errors: [{ pointer: `/query/${name}`, code: 'format', detail }] })
