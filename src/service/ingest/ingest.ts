import { elementsOf } from '../../core/json-members.ts'
import { DatastreamsError, ValidationError } from '../../datastreams/errors.ts'
import { type FrameInput, frameFields } from '../../datastreams/frame-fields.ts'
import { bodyText, decodedBody, letGo } from '../http/body.ts'
import { type ProblemField, refusal, tooLarge } from '../http/problem.ts'
import { traceparentOf } from '../http/trace.ts'
import { within } from '../http/within.ts'
import { ANSWERED, type Answer, type Call } from '../route.ts'
import { type FrameContext, frameInput } from '../shapes/frame-shape.ts'
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
      commit: (frames) => within(createFrames(call, frames), settings.commitWaitMs, deadlines),
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
  return form.atomic ? await storeAll(call, texts, form.ndjson) : await storeEach(call, texts, form.ndjson)
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

async function storeEach(call: Call, texts: readonly string[], ndjson: boolean): Promise<Answer> {
  const { maxFrameBytes, commitWaitMs } = call.services.settings
  const context = contextOf(call)
  const tally = new Tally()
  const results: string[] = []
  for (let from = 0; from < texts.length; from += COMMIT_MAX) {
    const inputs = texts.slice(from, from + COMMIT_MAX).map((text): Input | Error => {
      try {
        return frameInput(text, context, maxFrameBytes)
      } catch (error) {
        return error as Error
      }
    })
    const sound = inputs.filter((input): input is Input => !(input instanceof Error))
    const outcomes =
      sound.length === 0 ? [] : await within(createFrames(call, sound), commitWaitMs, call.services.deadlines)
    let next = 0
    for (const input of inputs) {
      results.push(tally.result(input instanceof Error ? { status: 'error', error: input } : outcomes[next++]!))
    }
  }
  return answerOf(200, [...results, tally.summary()], ndjson)
}

/** All, or none with the fields of every frame that is not valid. */
async function storeAll(call: Call, texts: readonly string[], ndjson: boolean): Promise<Answer> {
  const { settings, deadlines } = call.services
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
  const stored = createFrames(call, inputs, true).catch((error: unknown) => {
    // What one frame cannot be stored for, none is; a fault of the stream stays what it is.
    throw error instanceof DatastreamsError && error.code === 'sequence_conflict'
      ? notAll([{ pointer: '', code: error.code, detail: error.message }])
      : error
  })
  const outcomes = inputs.length === 0 ? [] : await within(stored, settings.commitWaitMs, deadlines)
  const tally = new Tally()
  const results = outcomes.map((outcome) => tally.result(outcome))
  return answerOf(201, [...results, tally.summary()], ndjson)
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

const answerOf = (status: number, entries: readonly string[], ndjson: boolean): Answer =>
  ndjson
    ? { status, text: `${entries.join('\n')}\n`, headers: { 'content-type': NDJSON } }
    : { status, text: `[${entries.join(',')}]` }

const createFrames = ({ services, account, params }: Call, frames: readonly FrameInput[], atomic = false) =>
  services.streams.createFrames(account, params['stream']!, frames, { atomic })
