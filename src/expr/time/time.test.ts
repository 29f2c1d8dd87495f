import { expect, test } from 'vitest'
import { Random } from '../../core/random.ts'
import type { Interval } from '../../core/values.ts'
import { civilOfDays, DATE_MAX, DATE_MIN, dayOfYear, daysOfCivil, isoDayOfWeek, isoWeek } from './civil.ts'
import { compareIntervals, intervalOfMicros, scaleInterval, shiftMonths, shiftTimestamp } from './interval.ts'
import { parseInterval } from './interval-text.ts'
import { anyPattern, formatPattern, postgresPattern, strftimePattern } from './pattern.ts'
import { formatTime, parseTime } from './pattern-text.ts'
import {
  dateText,
  intervalIso,
  intervalText,
  parseDate,
  parseTimestamp,
  timestampJson,
  timestampText,
} from './time-text.ts'
import { localMicros, utcMicros, zoneOffset } from './zones.ts'

test.each([21, 22])('days and dates agree with the calendar of JavaScript (seed %i)', (seed) => {
  const random = new Random(seed)
  for (let i = 0; i < 3000; i++) {
    const days = random.between(DATE_MIN, DATE_MAX)
    const date = new Date(days * 86_400_000)
    const civil = civilOfDays(days)
    expect(civil).toEqual({ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() })
    expect(daysOfCivil(civil.year, civil.month, civil.day)).toBe(days)
    expect(isoDayOfWeek(days) % 7).toBe(date.getUTCDay())
    expect(parseDate(dateText(days))).toBe(days)
    expect(dayOfYear(days)).toBeGreaterThan(0)
  }
})

test.each([
  ['2026-01-04', 2026, 1],
  ['2025-12-29', 2026, 1],
  ['2021-01-03', 2020, 53],
  ['2024-12-30', 2025, 1],
])('%s is in ISO week %i-%i', (text, year, week) => {
  expect(isoWeek(parseDate(text)!)).toEqual({ year, week })
})

test.each([
  ['2026-01-31 10:00:00.5', '2026-01-31T10:00:00.500Z'],
  ['2026-01-31 10:00:00.000001', '2026-01-31T10:00:00.000001Z'],
  ['1969-12-31 23:59:59.999999', '1969-12-31T23:59:59.999999Z'],
  ['9999-12-31 23:59:59.999999', '9999-12-31T23:59:59.999999Z'],
  ['0001-01-01 00:00:00', '0001-01-01T00:00:00Z'],
])('%s is written %s in JSON', (text, json) => {
  const micros = parseTimestamp(text)!
  expect(timestampText(micros)).toBe(text)
  expect(timestampJson(micros)).toBe(json)
  expect(parseTimestamp(json)).toBe(micros)
})

test.each([
  ['5m', 'PT5M', '00:05:00'],
  ['1h30m', 'PT1H30M', '01:30:00'],
  ['1 day 02:30:00', 'P1DT2H30M', '1 day 02:30:00'],
  ['-1 week', 'P-7D', '-7 days'],
  ['1.5 months', 'P1M15D', '1 mon 15 days'],
  ['2 years 3 mons', 'P2Y3M', '2 years 3 mons'],
  ['-90 seconds', 'PT-1M-30S', '-00:01:30'],
  ['1500 ns', 'PT0.000002S', '00:00:00.000002'],
  ['0 s', 'PT0S', '00:00:00'],
])('the interval %s is %s', (text, iso, plain) => {
  const interval = parseInterval(text)!
  expect(intervalIso(interval)).toBe(iso)
  expect(intervalText(interval)).toBe(plain)
  expect(parseInterval(iso)).toEqual(interval)
})

test.each(['', 'x', '5 parsecs', '1:99', 'P', '5m x'])('%o is no interval', (text) => {
  expect(parseInterval(text)).toBeUndefined()
})

test('months clip to the end of the month', () => {
  expect(dateText(shiftMonths(parseDate('2026-01-31')!, 1))).toBe('2026-02-28')
  expect(dateText(shiftMonths(parseDate('2024-01-31')!, 1))).toBe('2024-02-29')
  expect(dateText(shiftMonths(parseDate('2026-03-31')!, -13))).toBe('2025-02-28')
  const t = parseTimestamp('2026-01-31 10:00')!
  const month: Interval = { months: 1, days: 1, micros: -1 }
  expect(timestampText(shiftTimestamp(t, month, 1))).toBe('2026-03-01 09:59:59.999999')
})

test('lengths compare with 30 days to a month and 24 hours to a day', () => {
  const month: Interval = { months: 1, days: 0, micros: 0 }
  expect(compareIntervals(month, { months: 0, days: 30, micros: 0 })).toBe(0)
  expect(compareIntervals(month, { months: 0, days: 29, micros: 86_400_000_001 })).toBe(-1)
  expect(intervalOfMicros(-90_000_000_000)).toEqual({ months: 0, days: -1, micros: -3_600_000_000 })
  expect(scaleInterval(month, 0.5)).toEqual({ months: 0, days: 15, micros: 0 })
})

const moment = parseTimestamp('2026-01-02 15:04:05.678901')!

test.each([
  [postgresPattern, 'YYYY-MM-DD HH24:MI:SS.MS', '2026-01-02 15:04:05.678'],
  [postgresPattern, 'FMDD FMMonth YYYY, HH12:MI am', '2 January 2026, 03:04 pm'],
  [postgresPattern, '"at" HH24 "h" Dy', 'at 15 h Fri'],
  [postgresPattern, 'US IW ID Q DDD', '678901 01 5 1 002'],
  [formatPattern, '%Y-%m-%d %H:%i:%s.%f %a %b', '2026-01-02 15:04:05.678901 Fri Jan'],
  [formatPattern, '%y %h', '26 03'],
  [formatPattern, "yyyy/MM/dd 'at' HH:mm:ss.SSS", '2026/01/02 at 15:04:05.678'],
  [formatPattern, 'd.M.yy EEE h a', '2.1.26 Fri 3 PM'],
  [strftimePattern, '%F %T %j %p %% %-d', '2026-01-02 15:04:05 002 PM % 2'],
])('%o writes %s as %s', (read, pattern, expected) => {
  expect(formatTime(moment, read(pattern)!)).toBe(expected)
})

test.each([
  ['2026-01-02 15:04:05.678901', 'YYYY-MM-DD HH24:MI:SS.US', '2026-01-02 15:04:05.678901'],
  ['02/Jan/2026:15:04:05 +0100', 'dd/MMM/yyyy:HH:mm:ss Z', '2026-01-02 14:04:05'],
  ['3:04 PM 2/1/26', '%I:%M %p %d/%m/%y', '2026-01-02 15:04:00'],
  ['12:00 AM', 'hh:mm a', '1970-01-01 00:00:00'],
  ['1767225600', '%s', '2026-01-01 00:00:00'],
])('%s by %s is %s', (text, pattern, expected) => {
  expect(timestampText(parseTime(text, anyPattern(pattern)!)!)).toBe(expected)
})

test.each([
  ['2026-02-30', 'yyyy-MM-dd'],
  ['2026-13-01', 'yyyy-MM-dd'],
  ['2026-01-01x', 'yyyy-MM-dd'],
  ['x', '%Y'],
])('%s does not match %s', (text, pattern) => {
  expect(parseTime(text, anyPattern(pattern)!)).toBeUndefined()
})

test('unknown letters are no pattern', () => {
  expect(strftimePattern('%Q')).toBeUndefined()
  expect(formatPattern('yyyy-qq')).toBeUndefined()
})

test('zones follow their clock changes', () => {
  const berlin = 'Europe/Berlin'
  const at = (text: string) => parseTimestamp(text)!
  expect(zoneOffset(at('2026-01-01 00:00'), berlin)).toBe(3_600_000_000)
  expect(timestampText(localMicros(at('2026-07-01 00:00'), berlin))).toBe('2026-07-01 02:00:00')
  expect(timestampText(utcMicros(at('2026-03-29 01:59'), berlin))).toBe('2026-03-29 00:59:00')
  // 02:30 does not exist: it moves on by the gap.
  expect(timestampText(utcMicros(at('2026-03-29 02:30'), berlin))).toBe('2026-03-29 01:30:00')
  // 02:30 occurs twice: standard time, the second.
  expect(timestampText(utcMicros(at('2026-10-25 02:30'), berlin))).toBe('2026-10-25 01:30:00')
})
