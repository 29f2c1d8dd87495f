import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compiler, type Installed, installPackage } from './pack.ts'

const root = join(import.meta.dirname, '../..')
const programs = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code = '']) => code,
)

/** Members and options that look like names of the package. */
const MEMBERS = ['createReader', 'createWriter', 'onError', 'registerSource', 'registerSink', 'toJSON', 'toUri']

let installed: Installed
beforeAll(() => {
  installed = installPackage()
  writeFileSync(join(installed.folder, 'package.json'), '{ "type": "module" }\n')
  writeFileSync(join(installed.folder, 'orders.csv'), 'id,fruit\n1,pear\n2,fig\n3,pear\n')
})
afterAll(() => installed.remove())

test('the programs of the README compile and run', () => {
  expect(programs.length).toBeGreaterThan(0)
  for (const [i, code] of programs.entries()) {
    writeFileSync(join(installed.folder, `readme-${i}.ts`), code)
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
    installed.run(process.execPath, compiler, ...options, '--lib', 'es2024,esnext.disposable', `readme-${i}.ts`)
    expect(installed.run(process.execPath, `readme-${i}.ts`).split('\n').sort()).toEqual(['', 'fig 1n', 'pear 2n'])
  }
})

test('every name of the package that the guide uses is there', async () => {
  const guide = readFileSync(join(root, 'docs/guide/library.md'), 'utf8')
  const names = [...readFileSync(join(root, 'docs/reference/api.md'), 'utf8').matchAll(/^### (\w+)$/gm)].map(
    ([, name]) => name,
  )
  const used = [
    ...guide.matchAll(/`((?:create|register|to)[A-Z]\w+|copy|checkAll|\w+(?:Source|Sink)|\w+Error|\w+Errors)\b/g),
  ]
  expect(used.length).toBeGreaterThan(20)
  const unknown = [...new Set(used.map(([, name]) => name))].filter((name) => !names.includes(name!))
  expect(unknown.filter((name) => !MEMBERS.includes(name!))).toEqual([])
})
