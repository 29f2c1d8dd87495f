import { Readable } from 'node:stream'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Line, linesOf } from './lines.ts'

async function linesIn(bytes: Buffer, cuts: readonly number[], limit = 1000): Promise<readonly Line[]> {
  const chunks: Buffer[] = []
  let from = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    const to = Math.min(bytes.length, cut)
    if (to > from) chunks.push(bytes.subarray(from, to))
    from = Math.max(from, to)
  }
  if (from < bytes.length) chunks.push(bytes.subarray(from))
  const found: Line[] = []
  for await (const lines of linesOf(Readable.from(chunks), limit)) found.push(...lines)
  return found
}

test('lines are the same, however the body is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 12 })),
      fc.array(fc.nat(200), { maxLength: 8 }),
      async (texts, cuts) => {
        const lines = texts.map((text) => text.replaceAll('\n', ' '))
        const found = await linesIn(Buffer.from(lines.join('\n')), cuts)
        expect(found).toEqual(lines.filter((text) => text.trim() !== '').map((text) => ({ text })))
      },
    ),
    { seed: 11, numRuns: 150 },
  )
})

test.each([[[]], [[3]], [[5, 9, 14]], [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]])(
  'a line that is too long or not UTF-8 is a fault of its own, cut at %j',
  async (cuts) => {
    const bytes = Buffer.concat([Buffer.from('ab\n0123456789abcdef\n'), Buffer.from([0xff, 0x0a]), Buffer.from('cd')])
    expect(await linesIn(bytes, cuts, 8)).toEqual([
      { text: 'ab' },
      { fault: 'too_large' },
      { fault: 'not_utf8' },
      { text: 'cd' },
    ])
  },
)
