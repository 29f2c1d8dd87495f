import { elementsOf } from '../../core/json-members.ts'
import { DatastreamsError, ValidationError } from '../../datastreams/errors.ts'
import { type FrameInput, frameFields } from '../../datastreams/frame-fields.ts'
import type { IdempotentAnswer } from '../../datastreams/idempotency.ts'
import type { FrameOutcome } from '../../datastreams/service.ts'
import { bodyText, decodedBody, letGo } from '../http/body.ts'
import { type KeyedRequest, keptAnswer, once } from '../http/idempotency.ts'
import { type ProblemField, refusal, tooLarge } from '../http/problem.ts'
import { traceparentOf } from '../http/trace.ts'
import { within } from '../http/within.ts'
import { ANSWERED, type Answer, type Call } from '../route.ts'
import { type FrameContext, frameInput } from '../shapes/frame-shape.ts'
import { marksOf, PRODUCER, WRITER } from './marks.ts'
import { NdjsonAnswer } from './ndjson-answer.ts'
import { Tally } from './results.ts'
import { ingestLines } from './streamed.ts'

/** What an atomic batch may hold (streams-service.md §4). */
const ATOMIC_FRAMES = 1000
const ATOMIC_BYTES = 1024 * 1024
const NDJSON = 'application/x-ndjson'
/** Frames of one commit of an array. */
const COMMIT_MAX = 2000

type Input = FrameInput & { readonly receivedAt: number }

export const contextOf = ({ request, receivedAt }: Call): FrameContext => ({
  receivedAt,
  traceparent: traceparentOf(request.headers['traceparent']),
})

/** Lines as they come; their results as they are stored. */
export async function ingestStreamed(call: Call): Promise<typeof ANSWERED> {
  const { services, request, reply } = call
  const { settings, deadlines } = services
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  const out = new NdjsonAnswer(reply, gone.signal)
  try {
    const tally = await ingestLines({
      body: decodedBody(request.raw),
      context: contextOf(call),
      maxFrameBytes: settings.maxFrameBytes,
      commit: (frames) =>
        within(
          services.streams.createFrames(call.account, call.params['stream']!, frames),
          settings.commitWaitMs,
          deadlines,
        ),
      out,
    })
    out.end(`${tally.summary()}\n`)
  } catch (error) {
    if (!out.started) throw error
    // The caller has gone, or its body cannot be read on: what was committed stays.
    reply.raw.destroy()
  }
  letGo(request.raw, deadlines)
  return ANSWERED
}

/** The whole body at once: an array, or all of it in one commit. */
export async function ingestGathered(
  call: Call,
  form: { readonly ndjson: boolean; readonly atomic: boolean },
): Promise<Answer> {
  const { services, request } = call
  const { settings, deadlines } = services
  const limit = form.atomic ? Math.min(ATOMIC_BYTES, settings.maxBodyBytes) : settings.maxBodyBytes
  const text = await bodyText(request.raw, limit, deadlines)
  const texts = form.ndjson ? text.split('\n').filter((line) => line.trim() !== '') : arrayTexts(text)
  const store = form.atomic ? storeAll : storeEach
  return await once(call, text, (keyed) => store(call, texts, { ndjson: form.ndjson, keyed }), 'with the frames')
}

/** An append that is known by its key or its writer is one commit: it is gathered whole. */
export const isMarked = ({ request: { headers } }: Call): boolean =>
  headers['idempotency-key'] !== undefined || [...PRODUCER, ...WRITER].some((name) => headers[name] !== undefined)

/** The answer to keep; undefined for one that is a fault: it is not kept. */
export const keptOr =
  (answerOf: (outcomes: readonly FrameOutcome[]) => Answer) =>
  (outcomes: readonly FrameOutcome[]): IdempotentAnswer | undefined => {
    try {
      return keptAnswer(answerOf(outcomes))
    } catch {
      return undefined
    }
  }

interface Gathered {
  readonly ndjson: boolean
  readonly keyed: KeyedRequest | undefined
}

function arrayTexts(text: string): readonly string[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw refusal('invalid_json', `invalid JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  if (!Array.isArray(value)) throw refusal('invalid_json', 'invalid JSON: the body must be an array')
  return elementsOf(text)
}

async function storeEach(call: Call, texts: readonly string[], gathered: Gathered): Promise<Answer> {
  const { maxFrameBytes } = call.services.settings
  const context = contextOf(call)
  const inputs = texts.map((text): Input | Error => {
    try {
      return frameInput(text, context, maxFrameBytes)
    } catch (error) {
      return error as Error
    }
  })
  const sound = inputs.filter((input): input is Input => !(input instanceof Error))
  const answerOf = (outcomes: readonly FrameOutcome[]): Answer => {
    let next = 0
    const all = inputs.map(
      (input): FrameOutcome => (input instanceof Error ? { status: 'error', error: input } : outcomes[next++]!),
    )
    return resultsOf(200, all, gathered.ndjson)
  }
  if (gathered.keyed !== undefined || isMarked(call))
    return await storeOnce(call, sound, { ...gathered, answerOf, atomic: false })
  const outcomes: FrameOutcome[] = []
  for (let from = 0; from < sound.length; from += COMMIT_MAX) {
    const { services, account, params } = call
    const stored = services.streams.createFrames(account, params['stream']!, sound.slice(from, from + COMMIT_MAX))
    outcomes.push(...(await within(stored, services.settings.commitWaitMs, services.deadlines)))
  }
  return answerOf(outcomes)
}

/** All, or none with the fields of every frame that is not valid. */
async function storeAll(call: Call, texts: readonly string[], gathered: Gathered): Promise<Answer> {
  const { settings } = call.services
  if (texts.length > ATOMIC_FRAMES) throw tooLarge(ATOMIC_BYTES, `an atomic batch has at most ${ATOMIC_FRAMES} frames`)
  const context = contextOf(call)
  const faults: ProblemField[] = []
  const inputs = texts.map((text, index): Input => {
    try {
      const input = frameInput(text, context, settings.maxFrameBytes)
      frameFields(input)
      return input
    } catch (error) {
      faults.push(...faultsAt(index, error))
      return { receivedAt: 0 }
    }
  })
  if (faults.length > 0) throw notAll(faults)
  const answerOf = (outcomes: readonly FrameOutcome[]): Answer => resultsOf(201, outcomes, gathered.ndjson)
  try {
    return await storeOnce(call, inputs, { ...gathered, answerOf, atomic: true })
  } catch (error) {
    // What one frame cannot be stored for, none is; a fault of the stream stays what it is.
    if (!(error instanceof DatastreamsError) || error.code !== 'sequence_conflict') throw error
    throw notAll([{ pointer: '', code: error.code, detail: error.message }])
  }
}

/** One commit, with the answer where the request has a key. */
async function storeOnce(
  { services, account, params, request }: Call,
  inputs: readonly Input[],
  form: Gathered & { readonly answerOf: (outcomes: readonly FrameOutcome[]) => Answer; readonly atomic: boolean },
): Promise<Answer> {
  const { keyed, answerOf, atomic } = form
  const idempotency = keyed && { ...keyed, answer: keptOr(answerOf) }
  const options = { ...marksOf(request.headers), atomic, idempotency }
  const stored = services.streams.createFrames(account, params['stream']!, inputs, options)
  return answerOf(await within(stored, services.settings.commitWaitMs, services.deadlines))
}

function resultsOf(status: number, outcomes: readonly FrameOutcome[], ndjson: boolean): Answer {
  const tally = new Tally()
  const entries = outcomes.map((outcome) => tally.result(outcome))
  entries.push(tally.summary())
  return ndjson
    ? { status, text: `${entries.join('\n')}\n`, headers: { 'content-type': NDJSON } }
    : { status, text: `[${entries.join(',')}]` }
}

function faultsAt(index: number, error: unknown): readonly ProblemField[] {
  if (error instanceof ValidationError) {
    return error.errors.map(({ pointer, code, message }) => ({ pointer: `/${index}${pointer}`, code, detail: message }))
  }
  const { code = 'bad_request', message } = error as { readonly code?: string; readonly message: string }
  return [{ pointer: `/${index}`, code, detail: message }]
}

const notAll = (faults: readonly ProblemField[]) =>
  refusal('validation', `nothing was stored: ${faults[0]!.detail}`, { errors: faults })
