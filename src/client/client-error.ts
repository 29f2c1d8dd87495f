import { type ErrorCode, isErrorCode } from '../core/error-kinds.ts'
import { HeadraceError } from '../core/errors.ts'

export interface ProblemField {
  readonly pointer: string
  readonly code: string
  readonly detail: string
}

/** A fault that the service answered, or that it could not be asked. `code` is that of the answer. */
export class StreamsClientError extends HeadraceError {
  /** HTTP status; 0: there was no answer. */
  readonly status: number
  readonly errors: readonly ProblemField[]
  readonly traceId: string | undefined
  /** Of `cursor_expired`: where reading can go on. */
  readonly earliestCursor: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    code: ErrorCode,
    message: string,
    of: {
      readonly status: number
      readonly errors?: readonly ProblemField[] | undefined
      readonly traceId?: string | undefined
      readonly earliestCursor?: string | undefined
      readonly retryAfterMs?: number | undefined
      readonly cause?: unknown
    },
  ) {
    super(code, message, { cause: of.cause })
    this.name = 'StreamsClientError'
    this.status = of.status
    this.errors = of.errors ?? []
    this.traceId = of.traceId
    this.earliestCursor = of.earliestCursor
    this.retryAfterMs = of.retryAfterMs
  }
}

/** The error of an answer that is none of success. */
export async function errorOf(response: Response): Promise<StreamsClientError> {
  const text = await response.text().catch(() => '')
  const { status } = response
  const problem = problemIn(text)
  const { code = '', detail, errors, trace_id: traceId, earliest_cursor: earliestCursor } = problem
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return new StreamsClientError(isErrorCode(code) ? code : codeOf(status), detail ?? `the service answered ${status}`, {
    status,
    errors,
    traceId,
    earliestCursor,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
  })
}

interface Problem {
  readonly code?: string
  readonly detail?: string
  readonly errors?: readonly ProblemField[]
  readonly trace_id?: string
  readonly earliest_cursor?: string
}

function problemIn(text: string): Problem {
  try {
    return (JSON.parse(text) as Problem | null) ?? {}
  } catch {
    return {}
  }
}

/** Of an answer that is not the service's: from something between. */
function codeOf(status: number): ErrorCode {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not_found'
  if (status === 429) return 'rate_limited'
  if (status === 504) return 'timeout'
  return status >= 502 ? 'unavailable' : status >= 500 ? 'internal' : 'bad_request'
}
