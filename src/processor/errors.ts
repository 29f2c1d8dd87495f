import { errorFamily, type FamilyError, kind } from '../core/error-family.ts'

const validationKinds = {
  EmptyValue: kind<{ field: string }>('validation_empty_value', ({ field }) => `${field} cannot be empty`),
  TooLong: kind<{ field: string; maxLength: number; actualLength: number }>(
    'validation_too_long',
    ({ field, maxLength, actualLength }) => `${field} is too long: ${actualLength} bytes, at most ${maxLength}`,
  ),
  InvalidFormat: kind<{ field: string; reason: string }>(
    'validation_invalid_format',
    ({ field, reason }) => `${field} has an invalid format: ${reason}`,
  ),
  OutOfRange: kind<{ field: string; value: number | bigint; min: number | bigint; max: number | bigint }>(
    'validation_out_of_range',
    ({ field, value, min, max }) => `${field} is out of range: ${value} is not within ${min} to ${max}`,
  ),
  InvalidTimestamp: kind<{ field: string; reason: string }>(
    'validation_invalid_timestamp',
    ({ field, reason }) => `${field} is not a valid timestamp: ${reason}`,
  ),
} as const

/** A value that may not be part of a message. */
export const ValidationError = errorFamily('ValidationError', validationKinds)
export type ValidationError = FamilyError<typeof validationKinds>

const processingKinds = {
  Aborted: kind<{ reason: string }>('processing_aborted', ({ reason }) => `processing aborted: ${reason}`),
  Failed: kind<{ reason: string }>('processing_failed', ({ reason }) => `processing failed: ${reason}`),
  UnexpectedState: kind<{ message: string }>(
    'processing_unexpected_state',
    ({ message }) => `unexpected state: ${message}`,
  ),
} as const

/** A processor or transformer failed. What user code threw is the `cause` of `Failed`. */
export const ProcessingError = errorFamily('ProcessingError', processingKinds)
export type ProcessingError = FamilyError<typeof processingKinds>

const sinkKinds = {
  Unavailable: kind<{ sinkName: string }>('sink_unavailable', ({ sinkName }) => `sink unavailable: ${sinkName}`),
  Rejected: kind<{ reason: string }>('sink_rejected', ({ reason }) => `message rejected by sink: ${reason}`),
  InternalError: kind<{ details: string }>('sink_internal_error', ({ details }) => `internal sink error: ${details}`),
  CapacityExceeded: kind<{ current: number; maximum: number }>(
    'sink_capacity_exceeded',
    ({ current, maximum }) => `sink capacity exceeded: ${current} of ${maximum}`,
  ),
} as const

/** A sink failed. What user code threw is the `cause` of `InternalError`. */
export const SinkError = errorFamily('SinkError', sinkKinds)
export type SinkError = FamilyError<typeof sinkKinds>

const ingestorKinds = {
  Validation: kind<{ error: ValidationError }>(
    'ingestor_validation',
    ({ error }) => `validation error: ${error.message}`,
  ),
  Processing: kind<{ error: ProcessingError }>(
    'ingestor_processing',
    ({ error }) => `processing error: ${error.message}`,
  ),
  Sink: kind<{ error: SinkError }>('ingestor_sink', ({ error }) => `sink error: ${error.message}`),
  PipelineConstruction: kind<{ details: string }>(
    'ingestor_pipeline_construction',
    ({ details }) => `pipeline construction error: ${details}`,
  ),
} as const

/** A pipeline failed on a message, or could not be built. */
export const IngestorError = errorFamily('IngestorError', ingestorKinds)
export type IngestorError = FamilyError<typeof ingestorKinds>

const streamKinds = {
  ConsumptionError: kind<{ details: string }>('stream_consumption_error', ({ details }) => details),
  PipelineError: kind<{ source: IngestorError }>(
    'stream_pipeline_error',
    ({ source }) => `pipeline error: ${source.message}`,
  ),
  StreamClosed: kind<{ reason: string }>('stream_closed', ({ reason }) => `stream closed: ${reason}`),
  OffsetCommitFailed: kind<{ details: string }>(
    'stream_offset_commit_failed',
    ({ details }) => `offset commit failed: ${details}`,
  ),
  StreamUnavailable: kind<{ sourceName: string }>(
    'stream_unavailable',
    ({ sourceName }) => `stream unavailable: ${sourceName}`,
  ),
  InvalidConfiguration: kind<{ details: string }>(
    'stream_invalid_configuration',
    ({ details }) => `invalid configuration: ${details}`,
  ),
  ShutdownRequested: kind('stream_shutdown_requested', () => 'shutdown requested'),
} as const

/** A consumer or the processor around it failed. */
export const StreamError = errorFamily('StreamError', streamKinds)
export type StreamError = FamilyError<typeof streamKinds>
