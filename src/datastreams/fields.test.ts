import { describe, expect, test } from 'vitest'
import { ValidationError } from './errors.ts'
import { SEQUENCE_MAX } from './frame.ts'
import { frameFields } from './frame-fields.ts'
import { frequencyMs } from './frequency.ts'
import { STREAM_DEFAULTS } from './stream.ts'
import { patchedFields, streamFields } from './stream-fields.ts'
import { timeliness } from './timeliness.ts'

const faultsOf = (task: () => unknown): readonly string[] => {
  try {
    task()
  } catch (error) {
    if (error instanceof ValidationError) return error.errors.map(({ pointer, message }) => `${pointer} ${message}`)
    throw error
  }
  return []
}

describe('fields of a stream', () => {
  test('texts are trimmed, symbols upper-cased, what is absent has its default', () => {
    expect(streamFields({ name: ' Market Data ', symbol: ' eth-usd ' })).toEqual({
      ...STREAM_DEFAULTS,
      name: 'Market Data',
      symbol: 'ETH-USD',
      retention: {},
    })
  })

  test('all fields that are not valid are told at once', () => {
    const input = { name: ' ', symbol: 1, status: 'runing', slaMs: '5', autoActivate: 'yes', observedPath: 'at' }
    expect(faultsOf(() => streamFields(input))).toEqual([
      '/name name: is required',
      '/symbol symbol: must be a text',
      '/sla_ms sla_ms: must be a number',
      '/status invalid status runing',
      '/observed_path observed_path: must be a JSON pointer such as /measured/at',
      '/auto_activate auto_activate: must be true or false',
    ])
    expect(faultsOf(() => streamFields({ name: 'a' }))).toEqual(['/symbol symbol: is required'])
    expect(faultsOf(() => streamFields({ name: 'é'.repeat(200), symbol: 's' }))).toEqual([])
    expect(faultsOf(() => streamFields({ name: 'é'.repeat(201), symbol: 's' }))).toEqual([
      '/name name: has more than 200 characters',
    ])
  })

  test.each([
    [-5, 0],
    [1.9, 1],
    [0, 0],
    [1e300, Number.MAX_SAFE_INTEGER],
  ])('sla_ms %s becomes %s', (given, slaMs) => {
    expect(streamFields({ name: 'a', symbol: 's', slaMs: given }).slaMs).toBe(slaMs)
  })

  test('metadata: keys lower-cased, empty ones and what is no text dropped, limits kept', () => {
    const metadata = { ' Source ': ' x ', ' ': 'y', n: 1, ['__proto__x']: 'p' }
    expect(streamFields({ name: 'a', symbol: 's', metadata }).metadata).toEqual({ source: 'x', ['__proto__x']: 'p' })
    const parsed = JSON.parse('{"__proto__":"own"}') as object
    expect(Object.entries(streamFields({ name: 'a', symbol: 's', metadata: parsed }).metadata)).toEqual([
      ['__proto__', 'own'],
    ])
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'v']))
    expect(faultsOf(() => streamFields({ name: 'a', symbol: 's', metadata: many }))).toEqual([
      '/metadata metadata: has 65 entries, at most 64',
    ])
    expect(faultsOf(() => streamFields({ name: 'a', symbol: 's', metadata: { k: 'v'.repeat(1025) } }))).toHaveLength(1)
    expect(faultsOf(() => streamFields({ name: 'a', symbol: 's', metadata: ['x'] }))).toHaveLength(1)
  })

  test('retention takes texts and numbers', () => {
    const retention = { maxAgeMs: '2h', maxFrames: 10, maxBytes: '1MiB' }
    expect(streamFields({ name: 'a', symbol: 's', retention }).retention).toEqual({
      maxAgeMs: 7_200_000,
      maxFrames: 10,
      maxBytes: 1_048_576,
    })
    expect(faultsOf(() => streamFields({ name: 'a', symbol: 's', retention: { maxFrames: 0 } }))).toEqual([
      '/retention/max_frames retention/max_frames: must be a whole number from 1 on',
    ])
  })

  test('a patch changes what it names; metadata entry by entry', () => {
    const before = streamFields({ name: 'a', symbol: 's', slaMs: 5, metadata: { a: '1', b: '2' } })
    const after = patchedFields(before, { status: 'active', metadata: { B: null, c: '3' } })
    expect(after).toEqual({ ...before, status: 'active', metadata: { a: '1', c: '3' } })
    expect(patchedFields(before, { metadata: null }).metadata).toEqual({})
    expect(patchedFields(before, {})).toEqual(before)
    expect(faultsOf(() => patchedFields(before, { name: '' }))).toEqual(['/name name: is required'])
  })
})

test.each([
  ['100ms', 100],
  ['1s', 1000],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['1d', 86_400_000],
  ['10hz', 100],
  ['0.5 Hz', 2000],
  ['PT30S', 30_000],
  ['', null],
  ['100', null],
  ['0s', null],
  ['now and then', null],
])('the frequency %j is %s ms', (text, ms) => {
  expect(frequencyMs(text)).toBe(ms)
})

describe('fields of a frame', () => {
  test('64-bit sequences are exact, in every form', () => {
    expect(frameFields({ sequence: SEQUENCE_MAX }).sequence).toBe(SEQUENCE_MAX)
    expect(frameFields({ sequence: String(SEQUENCE_MAX) }).sequence).toBe(SEQUENCE_MAX)
    expect(frameFields({ sequence: 7 }).sequence).toBe(7n)
    expect(frameFields({}).sequence).toBeUndefined()
    const bad = [0, -1n, SEQUENCE_MAX + 1n, 1.5, 2 ** 53, '1e3', '', {}, true]
    expect(bad.map((sequence) => faultsOf(() => frameFields({ sequence })).length)).toEqual(bad.map(() => 1))
    expect(faultsOf(() => frameFields({ sequence: 0 }))).toEqual(['/sequence sequence must be positive'])
  })

  test('a payload is an object; its text stays as it was written', () => {
    expect(frameFields({ payloadText: '{"price": 1850.50}' }).payload).toBe('{"price": 1850.50}')
    expect(frameFields({ payload: { a: 1 } }).payload).toBe('{"a":1}')
    expect(frameFields({}).payload).toBe('{}')
    for (const payload of [null, [], 'x', 1, new Date(0)]) {
      expect(faultsOf(() => frameFields({ payload }))).toEqual(['/payload payload must be an object'])
    }
    expect(faultsOf(() => frameFields({ payloadText: '[1]' }))).toHaveLength(1)
  })

  test('status and times', () => {
    expect(frameFields({ status: ' Delivered ' }).status).toBe('ok')
    expect(frameFields({ status: 'LATE' }).status).toBe('late')
    expect(faultsOf(() => frameFields({ status: 'gone' }))).toEqual(['/status invalid status gone'])
    const at = Date.UTC(2026, 0, 1)
    for (const observedAt of [at, new Date(at), '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00']) {
      expect(frameFields({ observedAt }).observedAt).toBe(at)
    }
    for (const observedAt of ['yesterday', '2026-01-01', Number.NaN, {}]) {
      expect(faultsOf(() => frameFields({ observedAt }))).toHaveLength(1)
    }
  })
})

describe('latency is judged by the clock of the service', () => {
  const stream = { slaMs: 100, observedPath: '/m/at~1z' }
  const at = { receivedAt: 10_000, createdAt: 10_020 }

  test.each([
    ['observed', { observedAt: 9_950 }, { latencyMs: 50, status: 'ok', observedAt: 9_950 }],
    ['observed too long ago', { observedAt: 9_000 }, { latencyMs: 1000, status: 'late' }],
    ['observed in the future', { observedAt: 11_000 }, { latencyMs: 0, status: 'ok' }],
    [
      'a claim beside it',
      { observedAt: 9_000, latencyMs: 1 },
      { latencyMs: 1000, reportedLatencyMs: 1, status: 'late' },
    ],
    ['a claim alone', { latencyMs: 30 }, { latencyMs: 30, reportedLatencyMs: undefined, status: 'ok' }],
    ['a negative claim', { latencyMs: -30 }, { latencyMs: 0 }],
    ['nothing', {}, { latencyMs: 20, status: 'ok' }],
    ['in the payload', { payloadText: '{"m":{"at/z":9990}}' }, { latencyMs: 10, observedAt: 9990 }],
    ['another pointer', { payloadText: '{"m":{"at":9990}}' }, { latencyMs: 20, observedAt: undefined }],
    ['error stays error', { status: 'error', observedAt: 0 }, { status: 'error' }],
    ['late stays late', { status: 'late', latencyMs: 1 }, { status: 'late' }],
  ] as const)('%s', (_, input, expected) => {
    expect(timeliness(frameFields(input), stream, at)).toMatchObject(expected)
  })

  test('without an SLA nothing is late', () => {
    const fields = frameFields({ observedAt: 0 })
    expect(timeliness(fields, { slaMs: 0, observedPath: null }, at).status).toBe('ok')
  })
})
