import { expect, test } from 'vitest'
import { freshSeed, Random } from '../../core/random.ts'
import { RateBreaker } from './rate-breaker.ts'

const breaker = (min: number | 'off' = 100): RateBreaker =>
  new RateBreaker({ min: min === 'off' ? undefined : min, share: 0.5, windowMs: 60_000 })

test('it trips at so many entries that are such a share of the rows, not before', () => {
  const few = breaker()
  expect(few.note(0, 99, 99)).toBe(false)
  expect(few.note(1, 1, 1)).toBe(true)
  const sparse = breaker()
  expect(sparse.note(0, 10_000, 4999)).toBe(false)
  expect(sparse.note(0, 1, 1)).toBe(false)
  expect(sparse.note(0, 1, 1)).toBe(true)
  expect(sparse.note(0, 10_000, 0)).toBe(false)
  expect(breaker('off').note(0, 1000, 1000)).toBe(false)
})

test('what is older than the window does not count; nor what somebody has looked at', () => {
  const old = breaker()
  expect(old.note(0, 99, 99)).toBe(false)
  expect(old.note(60_000, 99, 99)).toBe(false)
  expect(old.note(119_999, 1, 1)).toBe(true)
  old.reset()
  expect(old.note(119_999, 99, 99)).toBe(false)
})

test('its counts are those of a plain sum over the window', () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const counted = breaker(1_000_000)
  const all: { readonly at: number; readonly rows: number }[] = []
  let at = 0
  for (let i = 0; i < 2000; i++) {
    at += random.below(5000)
    const rows = random.below(50)
    all.push({ at, rows })
    counted.note(at, rows, 0)
    const part = (ms: number): number => Math.floor(ms / 1000)
    const expected = all.filter((one) => part(one.at) > part(at) - 60).reduce((sum, one) => sum + one.rows, 0)
    expect(counted.rows, `seed ${seed}, step ${i}`).toBe(expected)
  }
})
