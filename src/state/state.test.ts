import { expect, test } from 'vitest'
import type { Value } from '../core/values.ts'
import { StatePages } from './state-pages.ts'
import { StateReader } from './state-reader.ts'
import { StateWriter } from './state-writer.ts'

function bytesOf(write: (out: StateWriter) => void): Uint8Array {
  const out = new StateWriter()
  write(out)
  const bytes = Buffer.concat([...out.chunks()])
  expect(bytes.length).toBe(out.byteLength)
  return bytes
}

const VALUES: readonly Value[] = [
  null,
  true,
  false,
  -0,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  9_007_199_254_740_993n,
  -(2n ** 63n),
  2n ** 63n,
  -(2n ** 127n),
  '',
  'a\u0000é𝄞\ud800',
  new Uint8Array([0, 255]),
  [1, null, ['x']],
  new Map<Value, Value>([['k', [1n]]]),
  { months: -1, days: 2, micros: -3 },
]

test('every value comes back as it was', () => {
  const state = new StateReader(
    bytesOf((out) => out.values(VALUES)),
    'op',
  )
  expect(state.values()).toEqual(VALUES)
  state.end()
})

test('fields longer than a page, and more of them than fit one, come back in order', () => {
  const long = new Float64Array(9000).map((_, i) => i / 3)
  const bytes = bytesOf((out) => {
    for (let i = 0; i < 50_000; i++) out.u32(i)
    out.f64s(long)
    out.u8(7)
    out.i64(-(2n ** 63n))
  })
  const state = new StateReader(bytes, 'op')
  expect(Array.from({ length: 50_000 }, () => state.u32())).toEqual([...Array(50_000).keys()])
  expect([...state.f64s()]).toEqual([...long])
  expect(state.u8()).toBe(7)
  expect(state.i64()).toBe(-(2n ** 63n))
  state.end()
})

test('what was copied does not follow what it was copied from', () => {
  const live = new Float64Array([1, 2])
  const out = new StateWriter()
  out.f64s(live)
  live[0] = 9
  const state = new StateReader(Buffer.concat([...out.chunks()]), 'op')
  expect([...state.f64s()]).toEqual([1, 2])
})

test('what is filled in stands where it was given, short and long', () => {
  const long = new Uint32Array(20_000).map((_, i) => i)
  const bytes = bytesOf((out) => {
    out.u8(1)
    out.fill(long.length, 4, (place) => new Uint32Array(place.buffer, place.byteOffset, long.length).set(long))
    out.fill(1, 8, (place) => new Float64Array(place.buffer, place.byteOffset, 1).fill(0.5))
    out.text('é'.repeat(40_000))
    out.bytes(new Uint8Array(70_000).fill(3))
    out.u8(2)
  })
  const state = new StateReader(bytes, 'op')
  expect([state.u8(), [...state.u32s()], [...state.f64s()]]).toEqual([1, [...long], [0.5]])
  expect(state.text()).toBe('é'.repeat(40_000))
  expect(Buffer.compare(state.bytes(), Buffer.alloc(70_000, 3))).toBe(0)
  expect(state.u8()).toBe(2)
  state.end()
})

test('pages that were given back hold the next state, one that is not given back stays', () => {
  const pool = new StatePages()
  const write = (first: number): StateWriter => {
    const out = new StateWriter(pool)
    out.f64s(new Float64Array(50_000).fill(first))
    out.u32(first)
    return out
  }
  const buffersOf = (out: StateWriter) => new Set([...out.chunks()].map((chunk) => chunk.buffer))
  const one = write(1)
  const two = write(2)
  const freed = buffersOf(one)
  expect([...buffersOf(two)].some((buffer) => freed.has(buffer))).toBe(false)
  one[Symbol.dispose]()
  const three = write(3)
  expect([...buffersOf(three)].every((buffer) => freed.has(buffer))).toBe(true)
  const state = new StateReader(Buffer.concat([...two.chunks()]), 'op')
  expect([new Set(state.f64s()), state.u32()]).toEqual([new Set([2]), 2])
})

test('numbers for a place of another size are refused', () => {
  const bytes = bytesOf((out) => out.f64s(new Float64Array(3)))
  expect(new StateReader(bytes, 'op').f64Bytes(3)).toEqual(new Uint8Array(24))
  expect(() => new StateReader(bytes, 'op').f64Bytes(2)).toThrow('has 3 numbers where 2 should be')
})

test('every truncation is refused, and bytes too many', () => {
  const bytes = bytesOf((out) => out.values(VALUES))
  for (let length = 0; length < bytes.length; length++) {
    expect(() => new StateReader(bytes.subarray(0, length), 'op').values()).toThrow(/operator state 'op'/)
  }
  const longer = new StateReader(Buffer.concat([bytes, new Uint8Array(3)]), 'op')
  longer.values()
  expect(() => longer.end()).toThrow('has 3 bytes more')
})

test('a count that the bytes cannot hold takes no memory', () => {
  const bytes = bytesOf((out) => out.u32(0xffffffff))
  expect(() => new StateReader(bytes, 'op').f64s()).toThrow(/ends at byte 4/)
  expect(() => new StateReader(bytes, 'op').u32s()).toThrow(/ends at byte 4/)
  expect(() => new StateReader(bytes, 'op').values()).toThrow(/ends at byte 4/)
})
