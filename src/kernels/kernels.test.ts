import { describe, expect, test } from 'vitest'
import { randomDouble } from '../../scripts/fuzz/doubles.ts'
import { WorkerMemory } from '../core/memory.ts'
import { Random } from '../core/random.ts'
import { exact } from '../core/values.ts'
import { crc32c, crc32cTwin } from './crc32c.ts'
import { int64Of, isNumberText, scaledInteger } from './exact-number.ts'
import { formatInterval, parseIntervalText } from './interval-text.ts'
import { formatDate, formatIso, parseDateText, parseIsoText } from './iso-twin.ts'
import { Kernels } from './kernels.ts'
import { LineIndex } from './lines.ts'

const SEED = 4711
const memory = new WorkerMemory()
const kernels = new Kernels(memory)
const region = memory.allocate(64 * 1024)

function put(text: string): number {
  const length = memory.text.utf8Write(text, region)
  memory.bytes.fill(0x2c, region + length, region + length + 64)
  return length
}

test('20,000 doubles are written as JSON.stringify writes them, and read back', () => {
  const random = new Random(SEED)
  const { exports } = kernels
  const wrong: unknown[] = []
  for (let i = 0; i < 20_000; i++) {
    const x = randomDouble(random)
    if (!Number.isFinite(x)) continue
    const end = exports.putDouble(region, x)
    const text = memory.text.latin1Slice(region, end)
    memory.bytes[end] = 0x2c
    const back = exports.scanNumber(region) === end ? exports.doubleOf() : undefined
    if (text !== JSON.stringify(x) || back !== x + 0) wrong.push([x, text, back])
  }
  expect(wrong, `seed ${SEED}`).toEqual([])
})

test('numbers of many digits read as Number reads them', () => {
  const random = new Random(SEED)
  const { exports } = kernels
  const wrong: unknown[] = []
  let unknown = 0
  for (let i = 0; i < 20_000; i++) {
    const digits = Array.from({ length: random.between(1, 25) }, () => random.below(10))
      .join('')
      .replace(/^0+(?=.)/, '')
    const fraction = random.chance(0.5) ? `.${random.uint32()}` : ''
    const exponent = random.chance(0.5) ? `e${random.between(-340, 310)}` : ''
    const text = `${random.chance(0.3) ? '-' : ''}${digits}${fraction}${exponent}`
    const end = region + put(text)
    const value = exports.scanNumber(region) === end ? exports.doubleOf() : undefined
    if (exports.doubleKnown.value === 0) unknown++
    else if (!Object.is(value, Number(text))) wrong.push([text, value])
  }
  expect(wrong, `seed ${SEED}`).toEqual([])
  expect(unknown).toBeLessThan(50)
})

test('times: kernel and twin agree, also on what is no time', () => {
  const random = new Random(SEED)
  const { exports } = kernels
  const two = (n: number): string => String(n).padStart(2, '0')
  const wrong: unknown[] = []
  for (let i = 0; i < 5000; i++) {
    const date = `${String(random.between(0, 9999)).padStart(4, '0')}-${two(random.between(0, 13))}-${two(random.between(0, 32))}`
    const time = `${random.pick(['T', ' ', 'x'])}${two(random.between(0, 24))}:${two(random.between(0, 60))}`
    const seconds = random.chance(0.8)
      ? `:${two(random.between(0, 60))}${random.chance(0.5) ? `.${random.below(10 ** random.between(1, 9))}` : ''}`
      : ''
    const zone = random.pick(['Z', '', '+02:00', '-0530', '+01', '+2', '+24:00', 'z'])
    const text = random.chance(0.1) ? date : date + time + seconds + zone
    const length = put(text)
    const end = exports.parseIso(region)
    const got = end === region + length ? exact(exports.isoMicros.value) : undefined
    const days = exports.parseDate(region) !== 0 && text.length === 10 ? exports.isoDays.value : undefined
    if (got !== parseIsoText(text) || days !== parseDateText(text)) wrong.push([text, got, days])
  }
  expect(wrong, `seed ${SEED}`).toEqual([])
})

test('times are written as the twin writes them, and read back', () => {
  const random = new Random(SEED)
  const { exports } = kernels
  for (let i = 0; i < 5000; i++) {
    const day = random.between(-719_162, 2_932_896)
    const micros =
      BigInt(day) * 86_400_000_000n +
      BigInt(random.below(86_400)) * 1_000_000n +
      BigInt(random.pick([0, 0, 5000, 123, 999_999]))
    const text = memory.text.latin1Slice(region, exports.putTimestamp(region, micros))
    expect(text).toBe(formatIso(micros))
    expect(parseIsoText(text)).toBe(exact(micros))
    expect(memory.text.latin1Slice(region, exports.putDate(region, day))).toBe(formatDate(day))
  }
  expect(formatIso(0)).toBe('1970-01-01T00:00:00Z')
  expect(formatIso(9_223_372_036_854_775_807n)).toBe('+294247-01-10T04:00:54.775807Z')
  expect(memory.text.latin1Slice(region, exports.putTimestamp(region, -9_223_372_036_854_775_808n))).toBe(
    formatIso(-9_223_372_036_854_775_808n),
  )
})

test('a memo of the last minute never leaks into another one', () => {
  const { exports } = kernels
  for (const text of ['2026-01-31T10:00:05Z', '2026-01-31T10:00:06Z', '2026-01-31T10:01:06Z', '2026-01-31 10:01:06Z']) {
    put(text)
    exports.parseIso(region)
    expect(exact(exports.isoMicros.value)).toBe(Date.parse(text.replace(' ', 'T')) * 1000)
  }
})

test('CRC-32C: the check value, seeds, and any length', () => {
  put('123456789')
  expect(crc32c(kernels, region, 9)).toBe(0xe3069283)
  expect(crc32c(kernels, region + 4, 5, crc32c(kernels, region, 4))).toBe(0xe3069283)
  const random = new Random(SEED)
  for (let i = 0; i < 9000; i++) memory.bytes[region + i] = random.below(256)
  for (const length of [0, 1, 7, 8, 9, 1024, 3071, 3072, 3073, 9000]) {
    expect(crc32c(kernels, region, length)).toBe(crc32cTwin(memory.bytes.subarray(region, region + length)))
  }
})

test('lines: kernel and twin agree', () => {
  const random = new Random(SEED)
  const compiled = new LineIndex(kernels, { capacity: 1000, compiled: true })
  const twin = new LineIndex(kernels, { capacity: 1000, compiled: false })
  for (let i = 0; i < 300; i++) {
    const text = Array.from({ length: random.between(0, 60) }, () =>
      random.pick(['\n', '\n', '\r\n', '\r', ' ', '\t', 'x', 'long text of some words']),
    ).join('')
    const length = put(text)
    memory.bytes[region + length] = 10
    const limit = region + length + random.below(2)
    const most = random.chance(0.2) ? 3 : 1000
    compiled.run(region, limit, most)
    twin.run(region, limit, most)
    const shown = (index: LineIndex) => [
      index.count,
      index.next,
      Array.from(index.starts.subarray(0, index.count)),
      Array.from(index.ends.subarray(0, index.count)),
    ]
    expect(shown(compiled), `seed ${SEED}`).toEqual(shown(twin))
  }
})

describe('exact numbers', () => {
  test('scaled integers', () => {
    expect(scaledInteger('1.25', 2, 38)).toBe(125)
    expect(scaledInteger('1.255', 2, 38)).toBeUndefined()
    expect(scaledInteger('1.250e1', 2, 38)).toBe(1250)
    expect(scaledInteger('-0.00', 2, 38)).toBe(0)
    expect(scaledInteger('1e40', 0, 38)).toBeUndefined()
    expect(scaledInteger('99999999999999999999999999999999999999', 0, 38)).toBe(99999999999999999999999999999999999999n)
    expect(int64Of('-9223372036854775808')).toBe(-9223372036854775808n)
    expect(int64Of('9223372036854775808')).toBeUndefined()
    expect(int64Of('-0')).toBe(0)
    expect(['01', '1.', '.5', '+1', '', '-', '1e', '0x1'].map(isNumberText)).toEqual(Array(8).fill(false))
  })

  test('intervals', () => {
    const text = ['P1Y2M3DT4H5M6.5S', 'PT0S', 'P-1DT-2H', 'PT-0.5S', 'P1D']
    for (const each of text) expect(formatInterval(parseIntervalText(each)!)).toBe(each)
    expect(['P', 'PT', '1D', 'P1H'].map(parseIntervalText)).toEqual(Array(4).fill(undefined))
  })
})
