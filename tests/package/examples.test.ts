import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compiler, type Installed, installPackage } from './pack.ts'

// The examples as they are shipped: out of the tarball, into a folder that has nothing but the package.

const LIBRARY = 'examples/02-library'
const root = join(import.meta.dirname, '../..')
const filesOf = (folder: string): string[] => readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'))
const names = filesOf(LIBRARY)
/** The clicks have a folder of their own, as two examples write a file of that name. */
const at = (folder: string): string => (folder === '01-clicks' ? folder : '.')

/** By example: what it prints. */
const printed = new Map(
  readFileSync(join(root, LIBRARY, 'printed.txt'), 'utf8')
    .split(/^== /m)
    .slice(1)
    .map((part): [string, string] => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
)

let installed: Installed
const headrace = (...args: readonly string[]): string =>
  installed.run(process.execPath, 'node_modules/headrace/bin/headrace.cjs', ...args)

beforeAll(() => {
  installed = installPackage()
  writeFileSync(join(installed.folder, 'package.json'), '{ "type": "module" }\n')
  const shipped = join(installed.folder, 'node_modules/headrace/examples')
  for (const folder of readdirSync(shipped))
    cpSync(join(shipped, folder), join(installed.folder, at(folder)), { recursive: true })
})
afterAll(() => installed.remove())

test('every example has its output, and the other way round', () => {
  expect([...printed.keys()]).toEqual(names)
})

test.each(names)('%s prints what printed.txt says', (name) => {
  expect(installed.run(process.execPath, name)).toBe(printed.get(name))
})

test('all of them compile strictly against the package', () => {
  const files = readdirSync(join(root, 'examples')).flatMap((folder) =>
    filesOf(join('examples', folder)).map((name) => join(at(folder), name)),
  )
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  installed.run(process.execPath, compiler, ...options, '--lib', 'es2024,esnext.disposable', ...files)
})

test('clicks: the data is made, and the script runs', () => {
  installed.run(process.execPath, '01-clicks/make-clicks.ts')
  headrace('run', '01-clicks/clicks.sql')
  const rows = readFileSync(join(installed.folder, '01-clicks/revenue.jsonl'), 'utf8').trim().split('\n')
  expect(rows.length).toBeGreaterThan(10)
})

test('chain batches: a source and a storage of one’s own in the command', () => {
  const args = [
    'ingest',
    '--datastream',
    'my-source.ts',
    '--checkpoint-store',
    'my-storage.ts',
    '--sink',
    'chain.jsonl',
  ]
  headrace(...args, '--max-batches', '5')
  headrace(...args, '--max-batches', '3')
  const rows = readFileSync(join(installed.folder, 'chain.jsonl'), 'utf8').trim().split('\n')
  expect(rows.map((row) => (JSON.parse(row) as { batch_number: number }).batch_number)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8,
  ])
})
