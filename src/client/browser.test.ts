import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { expect, test } from 'vitest'

test('nothing that the client stands on is of Node', () => {
  const found = new Set<string>()
  const visit = (path: string): void => {
    if (found.has(path)) return
    found.add(path)
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)) {
      visit(resolve(dirname(path), target!))
    }
  }
  const folder = import.meta.dirname
  for (const name of readdirSync(folder)) if (!name.endsWith('.test.ts')) visit(join(folder, name))
  expect(found.size).toBeGreaterThan(10)
  const ofNode = [...found].filter((path) => /'node:|\bprocess\.[a-z]|\bBuffer\b/.test(readFileSync(path, 'utf8')))
  expect(ofNode).toEqual([])
})
