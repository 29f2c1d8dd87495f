import { ConflictError, DatastreamsError, NotFoundError } from './errors.ts'
import type { Frame } from './frame.ts'
import type { Appended, AppendRefusal } from './store.ts'

/** What became of one frame of several. */
export type FrameOutcome =
  | { readonly status: 'created' | 'duplicate'; readonly frame: Frame }
  /** The whole append of its producer or writer was stored before. */
  | { readonly status: 'repeated' }
  | { readonly status: 'error'; readonly error: Error }

export const notFound = (id: string): DatastreamsError => new NotFoundError(`stream ${id} not found`)

export function outcomeOf(streamId: string, appended: Appended): FrameOutcome {
  switch (appended.kind) {
    case 'created':
    case 'duplicate':
      return { status: appended.kind, frame: appended.frame }
    case 'producer_repeat':
    case 'writer_repeat':
      return { status: 'repeated' }
    case 'failed':
      return { status: 'error', error: appended.error }
    default:
      return { status: 'error', error: faultOf(streamId, appended) }
  }
}

type Fault = Exclude<
  Appended,
  { readonly kind: 'created' | 'duplicate' | 'producer_repeat' | 'writer_repeat' | 'failed' }
>

function faultOf(streamId: string, fault: Fault): DatastreamsError {
  switch (fault.kind) {
    case 'conflict':
      return new ConflictError(`stream ${streamId} holds another frame with sequence ${fault.frame.sequence}`)
    case 'withheld':
      return new ConflictError('another frame of the batch was refused')
    case 'refused':
      return refusal(streamId, fault.code)
    case 'producer_fenced':
      return new DatastreamsError('producer_fenced', `the producer has gone on to epoch ${fault.epoch}`, {
        epoch: fault.epoch,
      })
    case 'producer_gap': {
      const { expected, received } = fault
      return new DatastreamsError('producer_gap', `expected append ${expected} of the producer, not ${received}`, {
        expected,
        received,
      })
    }
    case 'producer_epoch': {
      const { epoch, received } = fault
      return new DatastreamsError('producer_epoch', `epoch ${epoch} of a producer begins with 0, not ${received}`, {
        epoch,
        received,
      })
    }
    case 'writer_fenced':
      return new DatastreamsError('fenced', `a newer instance of the pipeline writes (${fault.incarnation})`, {
        incarnation: fault.incarnation,
      })
  }
}

function refusal(streamId: string, code: AppendRefusal): DatastreamsError {
  if (code === 'not_found') return notFound(streamId)
  if (code === 'sequence_exhausted') {
    return new ConflictError(`stream ${streamId} holds the highest sequence there can be: name one`)
  }
  return new ConflictError(`stream ${streamId} is ${code === 'stream_paused' ? 'paused' : 'not active'}`, { code })
}
