import { expect, test } from 'vitest'
import { textAt } from '../../core/column-read.ts'
import { WorkerMemory } from '../../core/memory.ts'
import { Random } from '../../core/random.ts'
import { Scratch } from '../../core/scratch.ts'
import { field, schema, types } from '../../core/types.ts'
import { RowProgram } from '../project.ts'
import { batchOf, call, columnExpr, literal, rowsOf, tryCall } from '../testing/batches.ts'
import { codePointsBetween, inCase, PACK, partBetween, withoutBlanks } from './text-parts.ts'
import { codePointsIn, compareSpans, occursIn } from './text-tests.ts'

const memory = new WorkerMemory()
const scratch = new Scratch(memory)
const deps = { memory, current: { nowMicros: 0 } }

/** Texts in which separators overlap, stand at the ends and repeat. */
const randomText = (random: Random): string =>
  Array.from({ length: random.below(12) }, () =>
    random.pick(['a', 'A', '/', '/', '//', ' ', 'é', '😀', 'ab', 'z']),
  ).join('')

function place(text: string): { bytes: Uint8Array; start: number; length: number } {
  const start = scratch.text(text)
  return { bytes: memory.bytes, start, length: scratch.lastLength }
}

function part(text: string, cut: (bytes: Uint8Array, start: number, length: number) => number): string | null {
  const { bytes, start, length } = place(text)
  const packed = cut(bytes, start, length)
  if (packed < 0) return null
  const offset = Math.floor(packed / PACK)
  return textAt(bytes, start + offset, packed - offset * PACK)
}

test.each([41, 42])('parts of bytes are the parts of the text (seed %i)', (seed) => {
  const random = new Random(seed)
  for (let i = 0; i < 2000; i++) {
    scratch.reset()
    const text = randomText(random)
    const by = random.pick(['/', '//', 'a', 'é', 'ab', '😀'])
    const index = random.below(5)
    const separator = new TextEncoder().encode(by)
    const found = part(text, (bytes, start, length) => partBetween(bytes, start, length, separator, index))
    expect(found, `${JSON.stringify(text)} by ${by}, ${index}`).toBe(text.split(by)[index] ?? null)
    const [from, to] = [random.below(6), random.below(8)]
    const points = [...text]
    expect(part(text, (bytes, start, length) => codePointsBetween(bytes, start, length, from, to))).toBe(
      points.slice(from, Math.max(from, to)).join(''),
    )
    expect(part(text, withoutBlanks)).toBe(text.replace(/^ +| +$/g, ''))
    const { bytes, start, length } = place(text)
    expect(codePointsIn(bytes, start, length)).toBe(points.length)
    expect(occursIn(bytes, start, length, separator)).toBe(text.includes(by))
    const upper = random.chance(0.5)
    const address = inCase(scratch, bytes, start, length, upper)
    expect(textAt(memory.bytes, address, scratch.lastLength)).toBe(upper ? text.toUpperCase() : text.toLowerCase())
  }
})

test('bytes compare as code points', () => {
  const texts = ['', 'a', 'b', 'é', '\uffff', '😀', 'ab']
  for (const a of texts) {
    for (const b of texts) {
      const [x, y] = [place(a), place(b)]
      const order = compareSpans(x.bytes, x.start, x.length, y.bytes, y.start, y.length)
      expect(Math.sign(order)).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))))
    }
  }
})

test.each([51, 52])('calls over texts in memory give what calls over strings give (seed %i)', (seed) => {
  const random = new Random(seed)
  const input = schema([field('s', types.string)])
  const s = columnExpr(input, 0)
  const text = (value: string) => literal(types.string, value)
  const count = (value: number) => literal(types.bigint, value)
  const rows = Array.from({ length: 200 }, () => [random.chance(0.1) ? null : randomText(random)])
  const batch = batchOf(input, rows, memory)
  const inner = [s, call('LOWER', s), call('UPPER', s), call('TRIM', s), call('SPLIT_INDEX', s, text('/'), count(1))]
  for (const subject of inner) {
    const outputs = [
      call('SPLIT_INDEX', subject, text('//'), count(0)),
      call('SPLIT_INDEX', subject, text('a'), count(2)),
      call('SUBSTRING', subject, count(2), count(3)),
      call('SUBSTRING', subject, count(-1), count(3)),
      call('SUBSTRING', subject, count(3)),
      call('LEFT', subject, count(2)),
      call('TRIM', subject),
      call('UPPER', subject),
      call('LENGTH', subject),
      call('OCTET_LENGTH', subject),
      call('=', subject, text('a')),
      call('<>', subject, s),
      call('<', subject, text('é')),
      call('>=', subject, s),
      call('IN', subject, text(''), text('a/'), text('😀')),
      ...['a%', '%a', '%/%', 'a', '%', 'a%z', '_a%', ''].map((pattern) => call('LIKE', subject, text(pattern))),
      ...['STARTS_WITH', 'ENDS_WITH', 'CONTAINS'].map((name) => call(name, subject, text('é'))),
      ...['STARTS_WITH', 'ENDS_WITH', 'CONTAINS'].map((name) => call(name, subject, text(''))),
      tryCall('CONCAT', [subject, s])!,
    ]
    const output = schema(outputs.map((expr, i) => field(`c${i}`, expr.type)))
    const answers = (['compiled', 'interpreted'] as const).map((mode) => {
      using program = new RowProgram({ filters: [], outputs, input, output, mode, deps })
      const { batch: result, failures } = program.run(batch)
      return { rows: rowsOf(result), failures }
    })
    expect(answers[0]).toEqual(answers[1])
  }
})
