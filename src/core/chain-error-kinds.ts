const transient = { class: 'transient', httpStatus: 503, exitCode: 3 } as const
const badData = { class: 'permanent', httpStatus: 422, exitCode: 1 } as const
/** The next time the source may give what is right: it is asked again, from the same position. */
const refusedData = { class: 'transient', httpStatus: 422, exitCode: 1 } as const
const environment = { class: 'permanent', httpStatus: 502, exitCode: 3 } as const

/** Codes of chain batch sources; `src/chain/errors.ts` says which kind has which. */
export const chainErrorKinds = {
  chain_network_error: { ...transient, when: 'A chain source cannot be reached.', fix: 'Check address and network.' },
  chain_http_failed: {
    ...transient,
    httpStatus: 502,
    when: 'A chain source answered 408, 425 or 5xx to every try.',
    fix: 'See the answer in the message; look at the server.',
  },
  chain_http_throttled: {
    ...transient,
    class: 'throttled',
    httpStatus: 429,
    when: 'A chain source answered 429 to every try.',
    fix: 'Ask less often: raise the poll interval.',
  },
  chain_http_refused: {
    ...environment,
    when: 'A chain source refused a request.',
    fix: 'Correct URL and API key; see the answer in the message.',
  },
  chain_serialization_error: {
    ...badData,
    when: 'A text is not the JSON of the type it should hold.',
    fix: 'See the path in the message.',
  },
  chain_answer_invalid: {
    ...refusedData,
    when: 'An answer of a chain source is not the JSON of batches.',
    fix: 'See the path in the message; look at the server, or at what stands before it.',
  },
  chain_deserialization_error: {
    ...refusedData,
    when: 'A frame or file holds no batch.',
    fix: 'Repair or remove the file that the message names; a frame is asked for again.',
  },
  chain_checkpoint_error: {
    ...environment,
    exitCode: 1,
    when: 'A checkpoint is missing, damaged or cannot be kept.',
    fix: 'See the message; a damaged one must be put away before a new one is written.',
  },
  chain_source_unavailable: {
    ...transient,
    when: 'A chain source says it is not healthy.',
    fix: 'Look at the server.',
  },
  chain_batch_invalid: {
    ...refusedData,
    when: 'A batch breaks a rule of its chain, or one is missing.',
    fix: 'See batch number and path in the message; the position has not moved.',
  },
  chain_rollback_too_deep: {
    ...badData,
    when: 'The source and what was read have no batch in common within the rollback depth.',
    fix: 'Raise the rollback depth, or start anew behind a batch that stands.',
  },
  chain_config_invalid: {
    class: 'permanent',
    httpStatus: 400,
    exitCode: 2,
    when: 'A setting of a chain source has a bad value.',
    fix: 'Use a value within the range that the message names.',
  },
  chain_timeout: {
    ...transient,
    httpStatus: 504,
    when: 'A chain source did not answer in time.',
    fix: 'Raise the limit.',
  },
  chain_internal_error: {
    class: 'internal',
    httpStatus: 500,
    exitCode: 1,
    when: 'A chain source threw what is no error of its own.',
    fix: 'See the cause.',
  },
  chain_connection_error: {
    ...transient,
    when: 'A WebSocket cannot be opened.',
    fix: 'Check address and network; the source tries again.',
  },
  chain_communication_error: {
    ...transient,
    when: 'A WebSocket was cut, fell silent, or refused the subscription.',
    fix: 'Nothing: the source connects again and goes on behind the last batch.',
  },
  chain_io_error: {
    ...environment,
    when: 'A file or folder of batches cannot be read.',
    fix: 'Check path and rights.',
  },
} as const
