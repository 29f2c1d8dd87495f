import { expect, test } from 'vitest'
import { intervalText } from '../expr-text.ts'
import { intervalOf, parseInterval } from './intervals.ts'
import { parseDate, parseTimestamp } from './times.ts'

const text = (written: string) => {
  const interval = parseInterval(written)
  return interval === undefined ? undefined : intervalText(interval)
}

test('every unit, singular, plural and short', () => {
  for (const [names, one] of [
    ['nanosecond nanoseconds ns', '0s'],
    ['microsecond microseconds us', '1us'],
    ['millisecond milliseconds ms', '1ms'],
    ['second seconds sec s', '1s'],
    ['minute minutes min m', '1m'],
    ['hour hours h', '1h'],
    ['day days d', '1d'],
    ['week weeks w', '7d'],
    ['month months', '1month'],
    ['year years', '12month'],
  ] as const) {
    for (const name of names.split(' ')) expect(text(`1 ${name}`), name).toBe(one)
  }
})

test('texts of an interval', () => {
  expect(text('1 day 02:30:00')).toBe('1d2h30m')
  expect(text('1h30m')).toBe('1h30m')
  expect(text('  -3 days  4.5s ')).toBe('-3d4s500ms')
  expect(text('1.5 days')).toBe('1d12h')
  expect(text('-00:00:01.000001')).toBe('-1s1us')
  expect(text('P1Y2M10DT2H30M4.5S')).toBe('14month10d2h30m4s500ms')
  expect(text('1600 ns')).toBe('2us')
  for (const bad of ['', '5', 'day', '5 parsecs', '1:60', 'P', 'PT', '0.3 month', '5m x', '1e3 s']) {
    expect(text(bad), bad).toBe(undefined)
  }
  expect(intervalOf(2, 'MONTHS')).toEqual({ months: 2, days: 0, micros: 0 })
})

test('dates and timestamps', () => {
  expect(parseDate('1970-01-02')).toBe(1)
  expect(parseDate('0001-01-01')).toBe(-719162)
  for (const bad of ['2026-13-01', '2026-02-29', '0000-01-01', '26-1-1', '2026-01-32'])
    expect(parseDate(bad), bad).toBe(undefined)
  expect(parseTimestamp('1970-01-01 00:00:01.5')).toBe(1_500_000)
  expect(parseTimestamp('1970-01-01T02:00:00+02:00')).toBe(0)
  expect(parseTimestamp('1970-01-01 00:00:00.1234567Z')).toBe(123_457)
  expect(parseTimestamp('9999-12-31T23:59:59.999999')).toBe(253402300799999999n)
  for (const bad of ['yesterday', '2026-01-01 25:00', '2026-01-01 10:60:00', '2026-01-01T10']) {
    expect(parseTimestamp(bad), bad).toBe(undefined)
  }
})
