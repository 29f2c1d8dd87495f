import { readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findGoldens } from './find-goldens.ts'
import { type GoldenCase, type GoldenSection, parseGolden, withSections } from './golden-file.ts'
import { type GoldenMode, runGolden } from './run-golden.ts'

const root = import.meta.dirname
const update = process.env['UPDATE'] === '1'
const only = process.env['GOLDEN']

const modes: readonly GoldenMode[] =
  process.env['HEADRACE_GOLDEN_MATRIX'] === '1'
    ? [1, 7, 8192].flatMap((batchRows) => [
        { batchRows, mode: 'compiled' as const },
        { batchRows, mode: 'interpreted' as const },
        { batchRows, mode: 'compiled' as const, crash: true },
      ])
    : [
        { batchRows: 7, mode: 'compiled' },
        { batchRows: 8192, mode: 'interpreted' },
        { batchRows: 3, mode: 'compiled', crash: true },
      ]

const show = (sections: readonly GoldenSection[]): string => withSections('', sections).trim()

/** Failures name the file and line, and how to accept the new result. */
const place = (file: string, golden: GoldenCase): string =>
  `tests/slt/${file}:${golden.line} (accept with: UPDATE=1 GOLDEN=${file} npm test -- golden)`

/** Batches that a file's sources gave, by size and mode: a size that cuts nothing shows nothing. */
const batches = new Map<string, Map<string, number>>()

afterAll(() => {
  const lines = [...batches].map(([file, sizes]) => {
    return `${file}: ${[...sizes].map(([size, count]) => `${count} of ${size}`).join(', ')}\n`
  })
  process.stdout.write(`batches of the goldens\n${lines.join('')}`)
})

function counter(file: string, { batchRows, mode }: GoldenMode): (count: number) => void {
  const sizes = batches.get(file) ?? new Map<string, number>()
  batches.set(file, sizes)
  const size = `${batchRows} ${mode}`
  return (count) => sizes.set(size, (sizes.get(size) ?? 0) + count)
}

for (const path of findGoldens(root)) {
  const file = relative(root, path)
  if (only !== undefined && !file.includes(only)) continue
  const { cases, parts } = parseGolden(readFileSync(path, 'utf8'))
  if (update) {
    const first = modes[0]!
    const filled = await Promise.all(cases.map((golden) => runGolden(golden, first)))
    writeFileSync(path, filled.map((sections, i) => withSections(parts[i]!, sections)).join('\n====\n'))
  }
  const { cases: expected } = update ? parseGolden(readFileSync(path, 'utf8')) : { cases }
  describe(file, () => {
    for (const { batchRows, mode, crash } of modes) {
      test(`batches of ${batchRows}, ${mode}${crash === true ? ', crashing' : ''}`, async () => {
        const onBatches = counter(file, { batchRows, mode })
        for (const golden of expected) {
          const sections = await runGolden(golden, { batchRows, mode, crash, onBatches })
          expect(show(sections), place(file, golden)).toBe(show(golden.sections))
        }
      })
    }
  })
}
