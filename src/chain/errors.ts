import type { ErrorCode } from '../core/error-kinds.ts'
import { type ErrorExtra, HeadraceError } from '../core/errors.ts'

/** What a kind of error is called, and how its message begins; HTTP errors have their code by status. */
const kinds = {
  NetworkError: { code: 'chain_network_error', start: 'Network error: ' },
  HttpError: { code: 'chain_http_refused', start: 'HTTP error: ' },
  SerializationError: { code: 'chain_serialization_error', start: 'Serialization error: ' },
  CheckpointError: { code: 'chain_checkpoint_error', start: 'Checkpoint error: ' },
  SourceUnavailable: { code: 'chain_source_unavailable', start: 'Source unavailable: ' },
  InvalidBatchData: { code: 'chain_batch_invalid', start: 'Invalid batch data: ' },
  ConfigError: { code: 'chain_config_invalid', start: 'Configuration error: ' },
  TimeoutError: { code: 'chain_timeout', start: 'Timeout error: ' },
  InternalError: { code: 'chain_internal_error', start: 'Internal error: ' },
  ConnectionError: { code: 'chain_connection_error', start: 'Connection error: ' },
  CommunicationError: { code: 'chain_communication_error', start: 'Communication error: ' },
  DeserializationError: { code: 'chain_deserialization_error', start: 'Deserialization error: ' },
  IoError: { code: 'chain_io_error', start: 'IO error: ' },
} as const satisfies Record<string, { readonly code: ErrorCode; readonly start: string }>

export type DatastreamErrorKind = keyof typeof kinds

export const datastreamErrorKinds = Object.keys(kinds) as readonly DatastreamErrorKind[]

export interface DatastreamErrorFields {
  /** HttpError: the status of the answer. */
  readonly status?: number | undefined
  /** InvalidBatchData: the batch, as far as it is known, and the field. */
  readonly batchNumber?: bigint | undefined
  readonly path?: string | undefined
  /** How long the source asked to be left alone, milliseconds. */
  readonly retryAfterMs?: number | undefined
}

export interface DatastreamErrorExtra extends ErrorExtra, DatastreamErrorFields {
  /** Instead of the code of the kind. */
  readonly code?: ErrorCode | undefined
}

/** Whatever goes wrong between a chain and its reader; `kind` says what. */
export class DatastreamError extends HeadraceError implements DatastreamErrorFields {
  override readonly kind: DatastreamErrorKind
  readonly status: number | undefined
  readonly batchNumber: bigint | undefined
  readonly path: string | undefined
  readonly retryAfterMs: number | undefined

  /** `text` stands behind the start that all messages of the kind share. */
  constructor(kind: DatastreamErrorKind, text: string, extra: DatastreamErrorExtra = {}) {
    super(extra.code ?? kinds[kind].code, kinds[kind].start + text, extra)
    this.name = 'DatastreamError'
    this.kind = kind
    this.status = extra.status
    this.batchNumber = extra.batchNumber
    this.path = extra.path
    this.retryAfterMs = extra.retryAfterMs
  }

  override toJSON(): Readonly<Record<string, unknown>> {
    const { kind, code, message, status, path } = this
    const batchNumber = this.batchNumber === undefined ? undefined : `0x${this.batchNumber.toString(16)}`
    const fields = Object.entries({ status, batch_number: batchNumber, path, retry_after_ms: this.retryAfterMs })
    return { kind, code, message, ...Object.fromEntries(fields.filter(([, value]) => value !== undefined)) }
  }
}

/** The error of an HTTP answer that is no success. */
export function httpError(status: number, message: string, retryAfterMs?: number): DatastreamError {
  return new DatastreamError('HttpError', `${status} - ${message}`, {
    code: codeOfStatus(status),
    status,
    retryAfterMs,
  })
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 429) return 'chain_http_throttled'
  return status === 408 || status === 425 || status >= 500 ? 'chain_http_failed' : 'chain_http_refused'
}

/** The error as it is when it is one of the family; anything else becomes its cause. */
export function datastreamError(error: unknown): DatastreamError {
  if (error instanceof DatastreamError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new DatastreamError('InternalError', message, { cause: error })
}

/** A batch that breaks a rule: `path` names the field. */
export function invalidBatch(number: bigint | undefined, path: string, fault: string): DatastreamError {
  const at = number === undefined ? '' : `batch ${number}: `
  return new DatastreamError('InvalidBatchData', `${at}${path}: ${fault}`, { batchNumber: number, path })
}
