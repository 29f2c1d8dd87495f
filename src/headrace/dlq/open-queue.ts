import { Checksum } from '../../kernels/crc32c.ts'
import { outputsHash, type ScriptPlan } from '../../sql/plan.ts'
import { type DeadLetters, deadLetterSchema } from '../dead-letters.ts'
import type { Durable } from '../durable/start.ts'
import { endpoint } from '../endpoint.ts'
import { type DeadLetterQueue, LetterQueue, QUEUE_PART } from '../letter-queue.ts'
import { type OpenPlace, openSink } from '../open.ts'
import { queueSettings } from './settings.ts'

export interface QueuePlace {
  readonly place: OpenPlace
  readonly letters: DeadLetters
  readonly durable: Durable | undefined
  /** Behind those of the sinks. */
  readonly writer: number
  readonly sinks: readonly string[]
  readonly incarnationOf: (sourceId: string | undefined) => string
  readonly signal: AbortSignal
  readonly onNote: (text: string) => void
}

/**
 * `dlq.location` names a sink for all dead letters; without it those of a pipeline that keeps state go to its data
 * directory. Undefined: they are counted and the first ones printed.
 */
export async function openQueue(form: QueuePlace): Promise<DeadLetterQueue | undefined> {
  const { place, letters, durable } = form
  const settings = queueSettings(place.plan)
  if (!settings.enabled) return undefined
  if (settings.location !== undefined) {
    const handle = await endpoint(settings.location, 'sink')
    const sinkForm = { changes: false, key: [], bounded: true, eventTime: undefined }
    const part = { schema: deadLetterSchema, part: QUEUE_PART, writer: form.writer, form: sinkForm }
    return new LetterQueue(await openSink(place, handle, part), letters, place.engine.memory)
  }
  if (durable?.letters === undefined) return undefined
  // What only pipelines with state need does not slow down the start of others.
  const { FileQueue } = await import('./file-queue.ts')
  return new FileQueue({
    directory: durable.letters,
    run: entryRun(place, form, settings.message_bytes_max),
    place: durable.place,
    settings,
    letters,
    checksum: new Checksum(place.engine.kernels),
    clock: place.engine.clock,
    files: durable.options.letterFiles,
    signal: form.signal,
    onNote: form.onNote,
  })
}

const entryRun = (
  { engine, plan }: { readonly engine: OpenPlace['engine']; readonly plan: ScriptPlan },
  { sinks, incarnationOf }: Pick<QueuePlace, 'sinks' | 'incarnationOf'>,
  messageBytesMax: number,
) => ({
  pipeline: plan.name!,
  planHash: outputsHash(plan.outputs, sinks),
  version: engine.version,
  messageBytesMax,
  incarnationOf,
})
