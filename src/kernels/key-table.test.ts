import { describe, expect, test } from 'vitest'
import { WorkerMemory } from '../core/memory.ts'
import { Random } from '../core/random.ts'
import { Kernels } from './kernels.ts'
import { type KeyList, KeyTable } from './key-table.ts'

const SEED = 99
const ROWS = 2000

function keysOf(table: KeyTable): KeyList {
  const list = { lengths: new Uint32Array(table.size), keys: new Uint8Array(table.keyBytes) }
  table.copyLengths(list.lengths)
  table.copyKeys(list.keys)
  return list
}

/** Byte by byte: `toEqual` takes seconds over a megabyte. */
function expectSame(actual: KeyList, expected: KeyList): void {
  const bytesOf = ({ lengths, keys }: KeyList) => Buffer.concat([new Uint8Array(lengths.buffer), keys])
  expect(Buffer.compare(bytesOf(actual), bytesOf(expected))).toBe(0)
}

describe.each(['on', 'off'] as const)('kernels %s', (mode) => {
  const memory = new WorkerMemory()
  const kernels = new Kernels(memory, mode)
  const data = memory.allocate(ROWS * 512)
  const spans = memory.allocate(ROWS * 8)
  const slots = memory.allocate(ROWS * 4)

  /** Looks keys up; the slots. */
  function lookup(table: KeyTable, keys: readonly string[], from = 0): number[] {
    const words = new Uint32Array(memory.buffer, spans, 2 * keys.length)
    let at = data
    keys.forEach((key, i) => {
      const length = memory.text.utf8Write(key, at)
      words[2 * i] = at
      words[2 * i + 1] = length
      at += length + (i % 3)
    })
    table.lookup(spans, from, keys.length, slots)
    return Array.from(new Int32Array(memory.buffer, slots, keys.length)).slice(from)
  }

  const keyOf = (table: KeyTable, slot: number): string =>
    memory.text.utf8Slice(table.keyAddress(slot), table.keyAddress(slot) + table.keyLength(slot))

  test('slots as a Map would give them, through growth in the middle of look-ups', () => {
    using table = new KeyTable(kernels, { expected: 1 })
    const random = new Random(SEED)
    const model = new Map<string, number>()
    const suffixes = ['', '0123456789', '0123456789abcdef', 'x'.repeat(40), 'y'.repeat(300)]
    for (let round = 0; round < 30; round++) {
      const keys = Array.from(
        { length: ROWS },
        () => `k${random.below(round * 500 + 10)}${random.chance(0.2) ? random.pick(suffixes) : ''}`,
      )
      const want = keys.map((key) => {
        if (!model.has(key)) model.set(key, model.size)
        return model.get(key)
      })
      expect(lookup(table, keys), `seed ${SEED}`).toEqual(want)
    }
    expect(table.size).toBe(model.size)
    for (const [key, slot] of model) expect(keyOf(table, slot)).toBe(key)
  })

  test('keys that differ in length, in zero bytes, or behind the sixteenth byte only', () => {
    using table = new KeyTable(kernels, { expected: 10 })
    const keys = [
      '',
      '\0',
      '\0\0',
      'a',
      'a\0',
      '0123456789abcdef',
      '0123456789abcdef\0',
      '0123456789abcdefX',
      '0123456789abcdefY',
      `0123456789abcdef${'z'.repeat(16)}1`,
      `0123456789abcdef${'z'.repeat(16)}2`,
    ]
    expect(lookup(table, [...keys, ...keys])).toEqual([...keys.keys(), ...keys.keys()])
  })

  test('clear forgets all keys, few or many, and keeps the memory', () => {
    using table = new KeyTable(kernels, { expected: 16 })
    const many = Array.from({ length: ROWS }, (_, i) => `key ${i}`)
    for (const keys of [many, many.slice(0, 3), many]) {
      expect(lookup(table, keys)).toEqual([...keys.keys()])
      const { bytes } = table
      table.clear()
      expect([table.size, table.bytes]).toEqual([0, bytes])
    }
    expect(lookup(table, ['new', 'key 5'])).toEqual([0, 1])
  })

  test('from and to', () => {
    using table = new KeyTable(kernels, { expected: 16 })
    expect(lookup(table, ['unseen', 'a', 'b', 'a'], 1)).toEqual([0, 1, 0])
    expect(table.size).toBe(2)
  })

  test('keys come back in their slots in a table of either mode, of the same bytes', () => {
    const random = new Random(SEED)
    const fillers = ['', '0123456789', '0123456789abcdef', 'x'.repeat(48), 'y'.repeat(300)]
    const known = Array.from({ length: ROWS }, (_, i) => `${random.pick(fillers)}${i}${random.pick(fillers)}`)
    using table = new KeyTable(kernels, { expected: 1 })
    lookup(table, ['', ...known])
    const list = keysOf(table)
    expect(Buffer.compare(list.keys, Buffer.from(known.join('')))).toBe(0)
    expect([...list.lengths]).toEqual(['', ...known].map((key) => key.length))
    using twin = new KeyTable(new Kernels(memory, mode === 'on' ? 'off' : 'on'), { expected: 1 })
    expect(twin.importKeys(list)).toBe(true)
    expectSame(keysOf(twin), list)
    expect(lookup(twin, ['', 'new', ...known.slice(1, 500)])).toEqual([0, ROWS + 1, ...[...Array(501).keys()].slice(2)])
  })

  test('more bytes than are brought in at once, and one key longer than that', () => {
    using table = new KeyTable(kernels, { expected: 1 })
    const lengths = new Uint32Array(20_000).fill(40)
    lengths[7000] = 1_000_000
    const keys = new Uint8Array(19_999 * 40 + 1_000_000)
    let at = 0
    lengths.forEach((length, i) => {
      new DataView(keys.buffer).setUint32(at, i)
      at += length
    })
    expect(table.importKeys({ lengths, keys })).toBe(true)
    expectSame(keysOf(table), { lengths, keys })
  })

  test('lists that are none, and a second one, are refused', () => {
    const list = (lengths: number[], text: string) => ({ lengths: Uint32Array.from(lengths), keys: Buffer.from(text) })
    const accepts = (...lists: ReturnType<typeof list>[]): boolean => {
      using table = new KeyTable(kernels, { expected: 1 })
      return lists.every((each) => table.importKeys(each))
    }
    expect(accepts(list([], ''))).toBe(true)
    expect(accepts(list([1, 2, 1], 'abba'))).toBe(false)
    expect(accepts(list([1, 2], 'abba'))).toBe(false)
    expect(accepts(list([4_294_967_295, 2], 'abba'))).toBe(false)
    expect(accepts(list([1, 2, 1], 'abbc'))).toBe(true)
    expect(accepts(list([1], 'a'), list([1], 'b'))).toBe(false)
  })

  test('gives back what it took', () => {
    const before = memory.usedBytes
    const table = new KeyTable(kernels, { expected: 1 })
    lookup(
      table,
      Array.from({ length: ROWS }, (_, i) => `some longer key ${i}`),
    )
    table[Symbol.dispose]()
    expect(memory.usedBytes).toBe(before)
  })
})
