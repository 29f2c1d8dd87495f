import { type ErrorCode, errorKinds } from '../../core/error-kinds.ts'
import { HeadraceError } from '../../core/errors.ts'

/** What an answer says about a fault (RFC 9457, streams-service.md §3.2). */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly retryable: boolean
  readonly errors: readonly ProblemField[]
  /** Further members of the body. */
  readonly more: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
}

export interface ProblemField {
  readonly pointer: string
  readonly code: string
  readonly detail: string
}

const TITLES: Readonly<Record<string, string>> = {
  validation: 'Validation failed',
  invalid_json: 'Invalid JSON',
  not_found: 'Not found',
  no_frames: 'No frames',
}

/** What the code says in words: `sequence_conflict` → `Sequence conflict`. */
const titleOf = (code: string): string => {
  const words = code.replaceAll('_', ' ')
  return TITLES[code] ?? words.charAt(0).toUpperCase() + words.slice(1)
}

/** The service's own errors become their answer; all else is `internal` and says nothing about the inside. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof HeadraceError)) return internal
  const { httpStatus: status, retryable } = error
  // Faults of parts that know nothing of HTTP: what they say may name paths.
  if (!PUBLIC.has(error.code)) return error.retryable ? unavailable : internal
  const { errors, headers, retryAfterSeconds, ...rest } = (error.details ?? {}) as Details
  const code = error.code === 'ownership' ? 'forbidden' : error.code
  const waits = status === 429 || status === 503
  return {
    status,
    code,
    detail: error.message,
    retryable,
    errors: (errors ?? []).map(({ pointer, code, detail }) => ({ pointer, code, detail })),
    more: code === 'cursor_expired' ? publicDetails(rest) : {},
    headers: {
      ...headers,
      ...producerHeaders(code, rest),
      ...(waits ? { 'retry-after': String(retryAfterSeconds ?? 1) } : {}),
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    },
  }
}

interface Details {
  readonly errors?: readonly ProblemField[]
  readonly headers?: Readonly<Record<string, string>>
  readonly retryAfterSeconds?: number
  readonly [name: string]: unknown
}

const publicDetails = ({ earliest_cursor }: Details): Readonly<Record<string, unknown>> =>
  earliest_cursor === undefined ? {} : { earliest_cursor }

/** What an idempotent producer needs to find its place again. */
function producerHeaders(code: string, { epoch, expected, received }: Details): Readonly<Record<string, string>> {
  if (code === 'producer_fenced') return { 'producer-epoch': String(epoch) }
  if (code !== 'producer_gap') return {}
  return { 'producer-expected-seq': String(expected), 'producer-received-seq': String(received) }
}

const plain = { errors: [], more: {} } as const
const internal: Problem = {
  ...plain,
  status: 500,
  code: 'internal',
  detail: 'the service failed; its log has the trace id',
  retryable: false,
  headers: {},
}
const unavailable: Problem = {
  ...plain,
  status: 503,
  code: 'unavailable',
  detail: 'the service cannot answer now',
  retryable: true,
  headers: { 'retry-after': '1' },
}

/** Codes whose messages are made for callers. */
const PUBLIC: ReadonlySet<string> = new Set<ErrorCode>([
  'validation',
  'not_found',
  'no_frames',
  'forbidden',
  'ownership',
  'sequence_conflict',
  'stream_paused',
  'stream_not_active',
  'already_exists',
  'request_in_progress',
  'idempotency_mismatch',
  'producer_fenced',
  'producer_gap',
  'producer_epoch',
  'fenced',
  'cursor_expired',
  'precondition_failed',
  'invalid_cursor',
  'invalid_limit',
  'too_large',
  'unavailable',
  'rate_limited',
  'quota_exceeded',
  'bus_error',
  'invalid_json',
  'bad_request',
  'unauthorized',
  'insufficient_scope',
  'method_not_allowed',
  'not_acceptable',
  'unsupported_media_type',
  'precondition_required',
  'headers_too_large',
  'timeout',
  'not_implemented',
  'internal',
])

/** The body. `wrote`: the request may have changed something although it failed. */
export function problemText(
  problem: Problem,
  where: { readonly instance: string; readonly traceId: string; readonly wrote: boolean },
): string {
  const { status, code, detail, retryable, errors, more } = problem
  return JSON.stringify({
    type: `urn:headrace:error:${code}`,
    title: titleOf(code),
    status,
    detail,
    error: detail,
    code,
    retryable,
    side_effects: where.wrote && status >= 500 && code !== 'not_implemented' ? 'possible' : 'none',
    instance: where.instance,
    errors,
    ...more,
    trace_id: where.traceId,
  })
}

/** The fault of a request that never reaches the domain. */
export const refusal = (code: ErrorCode, message: string, details?: Details): HeadraceError =>
  new HeadraceError(code, message, { hint: errorKinds[code].fix, details })

export const tooLargeFrame = (limit: number): HeadraceError => refusal('too_large', `the frame is over ${limit} bytes`)

export const tooLarge = (limit: number, detail = `the body is over ${limit} bytes`): HeadraceError =>
  refusal('too_large', detail)
