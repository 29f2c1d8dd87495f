import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compiler, type Installed, installPackage } from './pack.ts'

const root = join(import.meta.dirname, '../..')
const blocksOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)
const programs = blocksOf('README.md')
const names = [...readFileSync(join(root, 'docs/reference/api.md'), 'utf8').matchAll(/^### (\w+)$/gm)].map(
  ([, name = '']) => name,
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

/** What a block prints, where it says so. */
const PRINTED: Readonly<Record<number, string>> = {
  1: 'connector_option_unknown: formt (did you mean "format"?)\nconnector_option_invalid: batchRows (allowed: 1…16384)\n',
  3: "{ page: 'b', at: 1769853605000000n }\n",
  6: '1n 1n\n2n 4n\n3n 9n\n',
}

test('the snippets of the guide compile strictly and run, with the names they use imported', () => {
  const { folder, run } = installed
  writeFileSync(
    join(folder, 'clicks.jsonl'),
    '{"page":"a","at":"2026-01-31T10:00:00Z"}\n{"page":"b","at":"2026-01-31T10:00:05Z"}\n',
  )
  writeFileSync(join(folder, 'events.jsonl'), '{"user":"ann","n":1}\n{"user":"bob","n":2}\n')
  const blocks = blocksOf('docs/guide/library.md')
  const files = blocks.map((block, i) => {
    const used = names.filter((name) => new RegExp(`(?<![.\\w])${name}\\b(?=[(.) \\n])`).test(block))
    writeFileSync(join(folder, `guide-${i}.ts`), `import { ${used.join(', ')} } from 'headrace'\n${block}`)
    return `guide-${i}.ts`
  })
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  run(process.execPath, compiler, ...options, '--lib', 'es2024,esnext.disposable', ...files)
  for (const [i, file] of files.entries()) expect(run(process.execPath, file), file).toBe(PRINTED[i] ?? '')
})

test('every name of the package that the guide uses is there', async () => {
  const guide = readFileSync(join(root, 'docs/guide/library.md'), 'utf8')
  const used = [
    ...guide.matchAll(/`((?:create|register|to)[A-Z]\w+|copy|checkAll|\w+(?:Source|Sink)|\w+Error|\w+Errors)\b/g),
  ]
  expect(used.length).toBeGreaterThan(20)
  const unknown = [...new Set(used.map(([, name]) => name))].filter((name) => !names.includes(name!))
  expect(unknown.filter((name) => !MEMBERS.includes(name!))).toEqual([])
})
