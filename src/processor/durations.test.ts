import { expect, test } from 'vitest'
import { Broadcast } from '../channels/broadcast.ts'
import { createStream } from '../channels/stream.ts'
import { ManualClock } from '../core/clock.ts'
import { GenericMessage } from './message.ts'
import { TimeWindowProcessor } from './processors/time-window.ts'
import { ValidationProcessor } from './processors/validation.ts'
import { StreamConfig } from './stream-config.ts'

test('durations and sizes are numbers or texts, everywhere alike', async () => {
  const config = new StreamConfig().withBackoff({ initialMs: '250ms', maxMs: '5s' }).withStatsInterval('1h')
  expect(config.backoff).toEqual({ initialMs: 250, multiplier: 2, maxMs: 5000, jitter: 0.2 })
  expect(config.statsInterval).toBe(3_600_000)
  expect(config.withBackoff({ maxMs: '2m' }).backoff).toMatchObject({ initialMs: 250, maxMs: 120_000 })
  expect(() => config.withBackoff({ initialMs: 'soon' })).toThrow('backoff.initialMs')

  const clock = new ManualClock()
  const old = GenericMessage.from(
    { payload: 'abc', source: 's', timestamp: clock.nowMicros() / 1000 - 120_000 },
    { clock },
  )
  expect(new TimeWindowProcessor({ maxAgeMs: '1m', clock }).process(old).isProcess()).toBe(false)
  expect(new TimeWindowProcessor({ maxAgeMs: '1h', clock }).process(old).isProcess()).toBe(true)
  expect(new ValidationProcessor({ maxBytes: '2B' }).process(old).isProcess()).toBe(false)
  expect(new ValidationProcessor({ maxBytes: '1KiB' }).process(old).isProcess()).toBe(true)

  const waiting = createStream<string>({ clock }).sink.subscribe().recvTimeout('2s')
  clock.advance(2000)
  await expect(waiting).rejects.toMatchObject({ kind: 'Timeout', timeoutMs: 2000 })
  expect(() => new Broadcast({ slowTimeoutMs: 'x' })).toThrow('slowTimeoutMs')
})
