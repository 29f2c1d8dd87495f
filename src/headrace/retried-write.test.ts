import { expect, test } from 'vitest'
import type { Sink } from '../connectors/contract.ts'
import type { Batch } from '../core/batch.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { retriedWrite } from './retried-write.ts'

const batch = { schema: { fields: [] }, rows: 2, columns: [] } satisfies Batch
const clock: Clock = { ...systemClock, sleep: async () => undefined }

/** A sink that fails so many times before it takes a batch. */
function failing(times: number, error: HeadraceError): { readonly sink: Sink; readonly tries: () => number } {
  let tries = 0
  const sink: Sink = {
    write: async () => {
      if (++tries <= times) throw error
      return []
    },
    flush: async () => [],
    health: async () => ({ state: 'healthy', issues: [] }),
    [Symbol.asyncDispose]: async () => undefined,
  }
  return { sink, tries: () => tries }
}

const away = new HeadraceError('connector_unreachable', 'away')
const write = (sink: Sink, options: Record<string, unknown>) =>
  retriedWrite(sink, options, { clock, signal: new AbortController().signal, onRetry: () => undefined })

test('what may pass is tried again; when the tries are used up the rows are dead letters, or the error stands', async () => {
  expect(write(failing(0, away).sink, { on_error: 'dlq' })).toBeUndefined()
  const passing = failing(4, away)
  expect(await write(passing.sink, { on_error: 'retry' })!(batch)).toEqual([])
  expect(passing.tries()).toBe(5)
  const gone = failing(9, away)
  const lost = [0, 1].map((row) => ({ row, code: 'connector_unreachable', detail: 'away' }))
  expect(await write(gone.sink, { on_error: 'retry', attempts: 3 })!(batch)).toEqual(lost)
  expect(gone.tries()).toBe(3)
  const standing = failing(9, away)
  await expect(write(standing.sink, { on_error: 'retry', attempts: 2, retry_then: 'fail' })!(batch)).rejects.toBe(away)
})

test('what cannot pass is not tried again', async () => {
  const refused = failing(9, new HeadraceError('connector_forbidden', 'no'))
  await expect(write(refused.sink, { on_error: 'retry' })!(batch)).rejects.toMatchObject({
    code: 'connector_forbidden',
  })
  expect(refused.tries()).toBe(1)
})
