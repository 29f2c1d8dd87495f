import { expect, test } from 'vitest'
import { SequenceCounter, WATERMARK_UNSET, WatermarkCell } from './counters.ts'

test('a sequence counts across 2³² and up to 2⁶⁴ − 1, not beyond', () => {
  const counter = new SequenceCounter(2n ** 32n - 2n)
  for (let i = 0; i < 3; i++) counter.increment()
  expect(counter.value).toBe(2n ** 32n + 1n)
  counter.add(5)
  counter.add(2n ** 40n)
  expect(counter.value).toBe(2n ** 40n + 2n ** 32n + 6n)
  counter.set(2n ** 64n - 2n)
  counter.increment()
  expect(counter.value).toBe(2n ** 64n - 1n)
  expect(() => counter.increment()).toThrow('a sequence left its 64 bits')
  expect(counter.value).toBe(2n ** 64n - 1n)
  expect(() => counter.add(1)).toThrow('a sequence left its 64 bits')
  expect(() => counter.add(-1)).toThrow('a sequence left its 64 bits')
})

test('a watermark only rises', () => {
  const cell = new WatermarkCell()
  expect(cell.value).toBe(WATERMARK_UNSET)
  expect(cell.advance(-5n)).toBe(true)
  expect(cell.advance(-5n)).toBe(false)
  expect(cell.advance(-6n)).toBe(false)
  expect(cell.value).toBe(-5n)
})
