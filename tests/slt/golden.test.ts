import { readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { describe, expect, test } from 'vitest'
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
      ])
    : [
        { batchRows: 7, mode: 'compiled' },
        { batchRows: 8192, mode: 'interpreted' },
      ]

const show = (sections: readonly GoldenSection[]): string => withSections('', sections).trim()

/** Failures name the file and line, and how to accept the new result. */
const place = (file: string, golden: GoldenCase): string =>
  `tests/slt/${file}:${golden.line} (accept with: UPDATE=1 GOLDEN=${file} npm test -- golden)`

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
    for (const { batchRows, mode } of modes) {
      test(`batches of ${batchRows}, ${mode}`, async () => {
        for (const golden of expected) {
          const sections = await runGolden(golden, { batchRows, mode })
          expect(show(sections), place(file, golden)).toBe(show(golden.sections))
        }
      })
    }
  })
}
