import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { ShutdownLimit } from './shutdown.ts'

test('the limit runs from the stop on, and not when all has ended', async () => {
  const clock = new ManualClock()
  const expired: string[] = []
  const limit = (name: string, stop: AbortController): ShutdownLimit =>
    new ShutdownLimit(clock, stop.signal, { ms: 100, expire: () => expired.push(name) })
  const [late, done, running] = [new AbortController(), new AbortController(), new AbortController()]
  limit('late', late)
  const finished = limit('done', done)
  limit('running', running)
  clock.advance(1000)
  late.abort()
  done.abort()
  clock.advance(99)
  finished.finished()
  await new Promise(setImmediate)
  expect(expired).toEqual([])
  clock.advance(1)
  await new Promise(setImmediate)
  expect(expired).toEqual(['late'])
})
