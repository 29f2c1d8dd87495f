import { invalid, transient } from './error-kind.ts'

const refused = { class: 'permanent', exitCode: 2 } as const

/** Codes that only an answer over HTTP has (streams-service.md §3.2). */
export const httpErrorKinds = {
  invalid_json: { ...invalid, when: 'A body is not the JSON that was asked for.', fix: 'Mend the JSON.' },
  bad_request: { ...invalid, when: 'A request cannot be read.', fix: 'See the detail.' },
  unauthorized: {
    ...refused,
    httpStatus: 401,
    when: 'A request has no credential, or one that is not valid.',
    fix: 'Send Authorization: Bearer with a key that is not expired.',
  },
  insufficient_scope: {
    ...refused,
    httpStatus: 403,
    when: 'The credential lacks the scope that the request needs.',
    fix: 'Use a key with that scope.',
  },
  method_not_allowed: {
    ...refused,
    httpStatus: 405,
    when: 'The path does not take that method.',
    fix: 'Use a method of the header Allow.',
  },
  not_acceptable: {
    ...refused,
    httpStatus: 406,
    when: 'The answer has none of the types that were asked for.',
    fix: 'Accept application/json.',
  },
  unsupported_media_type: {
    ...refused,
    httpStatus: 415,
    when: 'The body has a type or an encoding that the path does not take.',
    fix: 'Send application/json, or application/x-ndjson where many frames are taken.',
  },
  precondition_required: {
    ...refused,
    httpStatus: 428,
    when: 'Changes must name the version that they change.',
    fix: 'Send If-Match with the ETag that was read.',
  },
  headers_too_large: {
    ...refused,
    httpStatus: 431,
    when: 'The headers of a request are too many or too long.',
    fix: 'Send fewer headers.',
  },
  internal: {
    class: 'internal',
    httpStatus: 500,
    exitCode: 1,
    when: 'The service failed; its log has the trace id.',
    fix: 'Report it with the trace id.',
  },
  config_invalid: {
    ...invalid,
    when: 'The configuration of the service has a value or a name that it does not know.',
    fix: 'Mend what the place names.',
  },
  address_unusable: {
    class: 'permanent',
    httpStatus: 502,
    exitCode: 3,
    when: 'The service cannot listen on its address.',
    fix: 'Free the port, or choose another one.',
  },
  timeout: { ...transient, httpStatus: 504, when: 'An answer took too long.', fix: 'Try again.' },
} as const
