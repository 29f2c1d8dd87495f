import { createHash } from 'node:crypto'
import type { IdempotentAnswer } from '../../datastreams/idempotency.ts'
import type { Answer, Call } from '../route.ts'
import { refusal } from './problem.ts'

const KEY_MAX = 255

/** A request that was begun under its key. */
export interface KeyedRequest {
  readonly key: string
  readonly hash: string
}

/**
 * Runs a request at most once under its `Idempotency-Key` (streams-service.md §5): a repeat gets the answer again. `body`
 * is part of what makes the same request. `run` gets the key where it keeps the answer itself, with what it stores; what
 * it returns otherwise is kept here. Failures are not kept.
 */
export async function once(
  call: Call,
  body: string,
  run: (request: KeyedRequest | undefined) => Promise<Answer>,
  keeps: 'here' | 'with the frames' = 'here',
): Promise<Answer> {
  const given = call.request.headers['idempotency-key']
  if (given === undefined) return await run(undefined)
  if (typeof given !== 'string' || given === '' || given.length > KEY_MAX) {
    throw refusal('bad_request', `Idempotency-Key must have 1 to ${KEY_MAX} characters`)
  }
  const { credential, services, request, route } = call
  const { idempotency } = services.streams
  const key = JSON.stringify([credential.tenant, route, given])
  const hash = createHash('sha256')
    .update(JSON.stringify([call.account, request.url, request.headers['if-match'] ?? '', body]))
    .digest('base64url')
  const now = (): number => Math.floor(services.clock.nowMicros() / 1000)
  const begun = await idempotency.begin(key, hash, now())
  switch (begun.kind) {
    case 'answer':
      return answerAgain(begun.answer)
    case 'running':
      throw refusal('request_in_progress', 'the first request with that key is not done')
    case 'mismatch':
      throw refusal('idempotency_mismatch', 'the key stands for another request')
    case 'full':
      throw refusal('unavailable', 'too many idempotency keys are kept')
    case 'new':
      break
  }
  try {
    const answer = await run({ key, hash })
    if (keeps === 'here') await idempotency.finish(key, keptAnswer(answer), now())
    return answer
  } catch (error) {
    idempotency.abandon(key)
    throw error
  }
}

export const keptAnswer = ({ status, text = '', headers = {} }: Answer): IdempotentAnswer => ({
  status,
  headers,
  body: text,
})

const answerAgain = ({ status, headers, body }: IdempotentAnswer): Answer => ({
  status,
  text: body === '' ? undefined : body,
  headers: { ...headers, 'idempotent-replay': 'true' },
})
