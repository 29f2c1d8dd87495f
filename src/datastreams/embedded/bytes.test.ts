import { expect, test } from 'vitest'
import { freshSeed, Random } from '../../core/random.ts'
import { ByteReader, ByteWriter } from './bytes.ts'

test('whatever is written comes back, also where the buffer grows in between', () => {
  const seed = freshSeed()
  const random = new Random(seed)
  for (let round = 0; round < 20; round++) {
    const writer = new ByteWriter()
    const expected: ((reader: ByteReader) => unknown)[] = []
    const values: unknown[] = []
    const note = (value: unknown, read: (reader: ByteReader) => unknown): void => {
      values.push(value)
      expected.push(read)
    }
    while (writer.length < 300_000) {
      const number = random.uint32()
      const kinds: readonly (() => void)[] = [
        () => {
          writer.u8(number & 255)
          note(number & 255, (reader) => reader.u8())
        },
        () => {
          writer.u32(number)
          note(number, (reader) => reader.u32())
        },
        () => {
          writer.f64(number / 7)
          note(number / 7, (reader) => reader.f64())
        },
        () => {
          writer.i64(-BigInt(number))
          note(-BigInt(number), (reader) => reader.i64())
        },
        () => {
          const text = random.pick(['', 'a', 'é日😀']).repeat(random.below(2000))
          writer.text(text)
          note(text, (reader) => reader.text())
        },
        () => {
          const array = Float64Array.from({ length: random.below(500) }, () => random.float())
          writer.array(array)
          note([...array], (reader) => [...new Float64Array(reader.array())])
        },
        () => {
          const digits = Array.from({ length: 32 }, () => random.below(16).toString(16)).join('')
          const uuid = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
          writer.uuid(uuid)
          note(uuid, (reader) => reader.uuid())
        },
      ]
      random.pick(kinds)()
    }
    const reader = new ByteReader(writer.bytes)
    for (const [i, read] of expected.entries()) expect(read(reader), `seed ${seed}, value ${i}`).toEqual(values[i])
    expect(reader.at - reader.base).toBe(writer.length)
  }
})
