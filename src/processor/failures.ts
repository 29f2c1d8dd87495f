import { HeadraceError } from '../core/errors.ts'
import { IngestorError, ProcessingError, SinkError, StreamError, ValidationError } from './errors.ts'
import { nameOfSink, type Sink } from './sink.ts'

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What a processor threw, as the error of its pipeline. */
export function processingFailure(error: unknown): IngestorError {
  if (error instanceof IngestorError) return error
  if (error instanceof ValidationError) return new IngestorError('Validation', { error }, { cause: error })
  const inner =
    error instanceof ProcessingError
      ? error
      : new ProcessingError('Failed', { reason: textOf(error) }, { cause: error })
  return new IngestorError('Processing', { error: inner }, { cause: inner })
}

const UNREACHABLE: ReadonlySet<string> = new Set(['connector_unreachable', 'connector_timeout', 'connector_throttled'])

/** What a sink threw, as `SinkError`: what cannot be reached, what refused the message, and everything else. */
export function sinkFault(error: unknown, sink: Sink): SinkError {
  if (error instanceof SinkError) return error
  const extra = { cause: error }
  if (error instanceof HeadraceError) {
    if (UNREACHABLE.has(error.code)) return new SinkError('Unavailable', { sinkName: nameOfSink(sink) }, extra)
    if (error.class === 'poison') return new SinkError('Rejected', { reason: error.message }, extra)
  }
  return new SinkError('InternalError', { details: textOf(error) }, extra)
}

export function sinkFailure(error: unknown, sink: Sink): IngestorError {
  if (error instanceof IngestorError) return error
  const inner = sinkFault(error, sink)
  return new IngestorError('Sink', { error: inner }, { cause: inner })
}

/** What a consumer threw, as `StreamError`. */
export function consumeFailure(error: unknown, sourceName: string): StreamError {
  if (error instanceof StreamError) return error
  const extra = { cause: error }
  if (error instanceof HeadraceError && UNREACHABLE.has(error.code)) {
    return new StreamError('StreamUnavailable', { sourceName }, extra)
  }
  return new StreamError('ConsumptionError', { details: textOf(error) }, extra)
}
