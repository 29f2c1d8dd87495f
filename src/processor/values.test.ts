import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { ValidationError } from './errors.ts'
import { GenericMessage } from './message.ts'
import { MessageId, SourceName, Timestamp } from './values.ts'

/** The error of a call, in its JSON form. */
function fault(task: () => unknown): unknown {
  try {
    task()
  } catch (error) {
    return error instanceof ValidationError ? JSON.parse(JSON.stringify(error)) : error
  }
  return 'no error'
}

test('a message id is trimmed, and refused in the order empty, too long, format', () => {
  expect(MessageId.of('  order 7 ')).toBe('order 7')
  expect(MessageId.of('x'.repeat(256))).toHaveLength(256)
  expect(fault(() => MessageId.of('  '))).toMatchObject({ kind: 'EmptyValue', field: 'message id' })
  expect(fault(() => MessageId.of('é'.repeat(200)))).toMatchObject({
    kind: 'TooLong',
    maxLength: 256,
    actualLength: 400,
  })
  expect(fault(() => MessageId.of('é'))).toMatchObject({ kind: 'InvalidFormat', code: 'validation_invalid_format' })
  expect(fault(() => MessageId.of('a\u0007b'))).toMatchObject({ kind: 'InvalidFormat' })
})

test('ids that nobody gave differ', () => {
  expect(MessageId.newOrGenerate(' a ')).toBe('a')
  const ids = ['', 'é', undefined, 'x'.repeat(300)].map((text) => MessageId.newOrGenerate(text))
  for (const id of ids) expect(id).toMatch(/^msg-\d{19}-\d+$/)
  expect(new Set(ids).size).toBe(ids.length)
})

test('a source name takes letters of any script', () => {
  expect(SourceName.of(' örders/eu.west_1-β ')).toBe('örders/eu.west_1-β')
  expect(SourceName.of('x'.repeat(128))).toHaveLength(128)
  expect(fault(() => SourceName.of(''))).toMatchObject({ kind: 'EmptyValue' })
  expect(fault(() => SourceName.of('ß'.repeat(65)))).toMatchObject({
    kind: 'TooLong',
    maxLength: 128,
    actualLength: 130,
  })
  expect(fault(() => SourceName.of('a b'))).toMatchObject({ kind: 'InvalidFormat' })
})

test('a timestamp takes four forms and none ahead of the clock', () => {
  const clock = new ManualClock(1_000_000_000_000_000)
  const iso = '2001-09-09T01:46:39.123456Z'
  expect(Timestamp.of(iso, { clock })).toBe(999_999_999_123_456n)
  expect(Timestamp.of(iso.replace('Z', ''), { clock })).toBe(999_999_999_123_456n)
  expect(Timestamp.of('2001-09-09', { clock })).toBe(999_993_600_000_000n)
  expect(Timestamp.of(new Date(5), { clock })).toBe(5000n)
  expect(Timestamp.of(5.5, { clock })).toBe(5500n)
  expect(Timestamp.of(7n, { clock })).toBe(7n)
  expect(Timestamp.of(1_000_000_001_000_000n, { clock })).toBe(1_000_000_001_000_000n)
  for (const time of [1_000_000_001_000_001n, 'soon', Number.NaN, new Date(Number.NaN)] as const) {
    expect(
      fault(() => Timestamp.of(time, { clock })),
      String(time),
    ).toMatchObject({ kind: 'InvalidTimestamp' })
  }
})

test('a timestamp that no clock can show is out of range', () => {
  expect(fault(() => Timestamp.of(9e15))).toMatchObject({
    kind: 'OutOfRange',
    value: 9e15,
    min: -8.64e15,
    max: 8.64e15,
  })
  expect(fault(() => Timestamp.of(2n ** 63n))).toMatchObject({ kind: 'OutOfRange', value: '9223372036854775808' })
  expect(() => Timestamp.of(-(2n ** 64n))).toThrow('timestamp is out of range')
})

test('a message has two, three or four arguments, or named parts', () => {
  const drawn = new GenericMessage('häuser', 'src')
  expect([drawn.id.slice(0, 4), drawn.size, drawn.metadata.sourceName(), drawn.contentType]).toEqual([
    'msg-',
    7,
    'src',
    undefined,
  ])
  const named = new GenericMessage('7', new Uint8Array([1, 2]), 'src', 'text/plain')
  expect([named.id, named.size, named.contentType]).toEqual(['7', 2, 'text/plain'])
  const clock = new ManualClock()
  const from = GenericMessage.from({ payload: 'x', source: 's', id: '1', headers: [['h', null]] }, { clock })
  expect([from.metadata.timestamp, from.headers]).toEqual([BigInt(clock.nowMicros()), [['h', null]]])
  const typed = from.withContentType('a/b')
  expect([typed.contentType, typed.id, typed.headers, from.contentType]).toEqual(['a/b', '1', [['h', null]], undefined])
  expect(typed).toBeInstanceOf(GenericMessage)
  expect(() => new GenericMessage('', 'x', 's')).toThrow('message id cannot be empty')
})
