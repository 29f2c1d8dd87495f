import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Installed, installPackage } from './pack.ts'

const examples = join(import.meta.dirname, '../../examples/02-library')
const names = readdirSync(examples).filter((name) => name.endsWith('.ts'))

/** By example: what it prints. */
const printed = new Map(
  readFileSync(join(examples, 'printed.txt'), 'utf8')
    .split(/^== /m)
    .slice(1)
    .map((part): [string, string] => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
)

let installed: Installed
beforeAll(() => {
  installed = installPackage()
  writeFileSync(join(installed.folder, 'package.json'), '{ "type": "module" }\n')
  for (const name of names) copyFileSync(join(examples, name), join(installed.folder, name))
})
afterAll(() => installed.remove())

test('every example has its output, and the other way round', () => {
  expect([...printed.keys()]).toEqual(names)
})

test.each(names)('%s prints what printed.txt says', (name) => {
  expect(installed.run(process.execPath, name)).toBe(printed.get(name))
})
