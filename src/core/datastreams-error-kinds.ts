import { invalid, transient } from './error-kind.ts'

const missing = { class: 'permanent', httpStatus: 404, exitCode: 2 } as const
const denied = { class: 'permanent', httpStatus: 403, exitCode: 2 } as const
const conflict = { class: 'permanent', httpStatus: 409, exitCode: 2 } as const
const unprocessable = { class: 'permanent', httpStatus: 422, exitCode: 2 } as const
const throttled = { class: 'throttled', httpStatus: 429, exitCode: 3 } as const

/** Codes of the data-streams service, as its answers have them (streams-service.md §3.2). */
export const datastreamsErrorKinds = {
  validation: { ...unprocessable, when: 'Fields of a stream or frame are not valid.', fix: 'See the fields.' },
  not_found: { ...missing, when: 'There is no such stream, account or frame.', fix: 'Check the id.' },
  no_frames: { ...missing, when: 'The stream has no frame yet.', fix: 'Send one.' },
  forbidden: { ...denied, when: 'The credential may not use the account.', fix: 'Use another credential.' },
  ownership: {
    ...denied,
    when: 'The stream belongs to another account of the tenant.',
    fix: 'Name the account that owns it.',
  },
  sequence_conflict: {
    ...conflict,
    when: 'The stream holds another frame with that sequence.',
    fix: 'Send it with another sequence, or leave it out.',
  },
  stream_paused: { ...conflict, when: 'The stream is paused.', fix: "Set its status to 'active'." },
  stream_not_active: {
    ...conflict,
    when: 'The stream is inactive and does not activate itself.',
    fix: "Set its status to 'active'.",
  },
  already_exists: { ...conflict, when: 'Something of that name is there.', fix: 'Choose another name.' },
  request_in_progress: {
    ...conflict,
    when: 'The first request with that idempotency key is not done.',
    fix: 'Ask again in a moment.',
  },
  idempotency_mismatch: {
    ...unprocessable,
    when: 'An idempotency key was used for another request.',
    fix: 'Take a new key for a new request.',
  },
  producer_fenced: {
    class: 'fenced',
    httpStatus: 403,
    exitCode: 4,
    when: 'A newer epoch of the producer has written.',
    fix: 'Stop this instance of the producer.',
  },
  producer_gap: {
    ...conflict,
    when: 'Appends of a producer are missing before this one.',
    fix: 'Send the one that is expected.',
  },
  producer_epoch: {
    ...invalid,
    when: 'A new epoch of a producer does not begin with 0.',
    fix: 'Count from 0 in every epoch.',
  },
  fenced: {
    class: 'fenced',
    httpStatus: 409,
    exitCode: 4,
    when: 'A newer incarnation of the pipeline writes the stream.',
    fix: 'Stop this instance of the pipeline.',
  },
  store_locked: {
    class: 'permanent',
    httpStatus: 503,
    exitCode: 3,
    when: 'Another process has the store of streams open.',
    fix: 'Stop that process, or use another folder.',
  },
  cursor_expired: {
    class: 'permanent',
    httpStatus: 410,
    exitCode: 2,
    when: 'Retention has passed the cursor.',
    fix: 'Go on from the earliest cursor.',
  },
  precondition_failed: {
    class: 'permanent',
    httpStatus: 412,
    exitCode: 2,
    when: 'The stream has changed since the version that was named.',
    fix: 'Read it again, then change it.',
  },
  invalid_cursor: { ...invalid, when: 'A cursor is not one of this list.', fix: 'Use cursors as they were given.' },
  invalid_limit: { ...invalid, when: 'A limit is no whole number from 1 on.', fix: 'Give one, or none.' },
  too_large: {
    class: 'permanent',
    httpStatus: 413,
    exitCode: 2,
    when: 'A frame or body is over its limit.',
    fix: 'Send less at once.',
  },
  unavailable: { ...transient, when: 'The service does not run or its store does not answer.', fix: 'Try again.' },
  rate_limited: { ...throttled, when: 'Too many requests.', fix: 'Wait as long as Retry-After says.' },
  quota_exceeded: { ...throttled, when: 'A quota of the account is used up.', fix: 'Wait, or ask for more.' },
  timeout: {
    class: 'transient',
    httpStatus: 504,
    exitCode: 3,
    when: 'What was asked for took too long.',
    fix: 'Try again; see /metrics for what is slow.',
  },
  internal: {
    class: 'internal',
    httpStatus: 500,
    exitCode: 1,
    when: 'The service has a fault.',
    fix: 'See its log for the trace id of the answer.',
  },
  bus_error: {
    class: 'transient',
    httpStatus: 502,
    exitCode: 3,
    when: 'The bus refused a message in direct mode; nothing was stored.',
    fix: 'See the cause.',
  },
} as const
