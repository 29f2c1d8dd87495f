import { expect, test } from 'vitest'
import { type DeadLetter, DeadLetters } from './dead-letters.ts'

const letter: DeadLetter = {
  code: 'connector_record_invalid',
  detail: 'x',
  stage: 'decode',
  source: 's',
  split: 's',
  ordinal: 0,
  byte: 0,
  value: new Uint8Array(0),
  encoding: 'raw',
  sqlPosition: undefined,
} as DeadLetter

test('what a failed run has not written is not written by the next one, which meets it again', () => {
  const letters = new DeadLetters(() => undefined)
  letters.queued = true
  letters.add(letter)
  letters.restore({}, {})
  letters.add(letter)
  expect([letters.take().length, letters.count]).toEqual([1, 1])
})
