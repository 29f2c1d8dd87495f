import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compiler, type Installed, installPackage } from './pack.ts'

let installed: Installed

beforeAll(() => {
  installed = installPackage()
  writeFileSync(join(installed.folder, 'package.json'), '{ "name": "usage", "private": true }\n')
  writeFileSync(join(installed.folder, 'orders.csv'), 'id,name\n1,pear\n2,fig\n')
  const fixtures = join(import.meta.dirname, 'fixtures')
  for (const name of readdirSync(fixtures)) copyFileSync(join(fixtures, name), join(installed.folder, name))
})
afterAll(() => installed.remove())

/** What a line says when it is run; null: nothing. */
interface Told {
  readonly code: string
  readonly says: {
    readonly name: string
    readonly code?: string
    readonly message: string
    readonly hint?: string
  } | null
}

const sentence = ({ name, code, message, hint }: NonNullable<Told['says']>): string =>
  `${code ?? name}: ${message}${hint === undefined ? '' : ` (${hint})`}`

/** Strict, and the declarations of the package are checked, too. */
function compile(files: readonly string[], extra: Readonly<Record<string, unknown>> = {}): string {
  const project = {
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      module: 'nodenext',
      target: 'es2024',
      lib: ['es2024', 'esnext.disposable'],
      types: ['node'],
      outDir: 'out',
      ...extra,
    },
    files,
  }
  writeFileSync(join(installed.folder, 'tsconfig.json'), JSON.stringify(project))
  return installed.run(process.execPath, compiler, '-p', '.')
}

describe('installed from its tarball', () => {
  test('TypeScript compiles strictly, and the program runs', () => {
    compile(['usage.mts'])
    const printed = installed.run(process.execPath, 'out/usage.mjs')
    expect(JSON.parse(printed.trim().split('\n').at(-1)!)).toEqual({
      read: 2,
      written: 2,
      rows: [{ id: 2, name: 'fig' }],
      size: 3,
    })
    expect(readFileSync(join(installed.folder, 'orders.jsonl'), 'utf8')).toContain('"fig"')
  })

  test.each([
    ['bundlers', { module: 'esnext', moduleResolution: 'bundler' }],
    ['a browser library in place of the types of Node', { types: [], lib: ['es2024', 'esnext.disposable', 'dom'] }],
  ])('the declarations stand for %s', (_, extra) => {
    compile(['usage.mts'], { ...extra, noEmit: true })
  })

  test('TypeScript in a CommonJS package requires it', () => {
    writeFileSync(
      join(installed.folder, 'required.cts'),
      "import { createSource } from 'headrace'\nimport chain = require('headrace/chain')\nvoid createSource\nvoid chain.u256\n",
    )
    compile(['required.cts'], { noEmit: true })
  })

  test('JavaScript imports it', () => {
    expect(JSON.parse(installed.run(process.execPath, 'usage.mjs'))).toMatchObject({ read: 2, written: 2, failed: 0 })
  })

  test('JavaScript requires it, all of its entries', () => {
    expect(JSON.parse(installed.run(process.execPath, 'usage.cjs'))).toEqual({
      counts: { read: 2, written: 2, failed: 0, bytes: expect.any(Number), resumed: false, wasComplete: false },
      rows: 1,
      kinds: ['function', 'function', 'function'],
    })
  })

  test('its command runs', () => {
    expect(installed.run(process.execPath, 'node_modules/headrace/bin/headrace.cjs', '--version')).toMatch(/^\d+\./)
  })

  test('every wrong use is a fault of its line, and told by the run', async () => {
    const lines = readFileSync(join(installed.folder, 'misuse.mts'), 'utf8').split('\n')
    const marked = lines.flatMap((line, i) => (line.includes('✗') ? [i + 1] : []))
    let said = ''
    try {
      compile(['misuse.mts'], { noEmit: true })
    } catch (error) {
      said = (error as Error).message
    }
    const found = [...said.matchAll(/^misuse\.mts\((\d+),\d+\): error (TS\d+): (.*)$/gm)]
    expect([...new Set(found.map(([, line]) => Number(line)))]).toEqual(marked)
    const run = JSON.parse(installed.run(process.execPath, 'misuse-run.mjs')) as readonly Told[]
    const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(installed.folder, '…')
    const rows = run.map(({ code, says }, i) => {
      const [, , number, message = ''] = found.find(([, line]) => Number(line) === marked[i])!
      return `| \`${cell(code)}\` | ${number}: ${cell(message)} | ${says === null ? 'nothing' : cell(sentence(says))} |`
    })
    const head = '| wrong use | the compiler says | the run says |\n| --- | --- | --- |\n'
    await expect(`${head}${rows.join('\n')}\n`).toMatchFileSnapshot('wrong-use.md')
    // What JavaScript itself says of a member that is not there is as clear.
    const own = run.filter(
      ({ says }) => says === null || (says.code === undefined && !/is not a function|not iterable/.test(says.message)),
    )
    expect(own).toEqual([])
  })

  test('checking a program costs little', () => {
    const said = (() => {
      compile(['usage.mts'], { noEmit: true })
      return installed.run(process.execPath, compiler, '-p', '.', '--extendedDiagnostics')
    })()
    const figure = (name: string): number => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(said)?.[1])
    console.info(`instantiations ${figure('Instantiations')}, types ${figure('Types')}`)
    expect(figure('Instantiations')).toBeLessThan(60_000)
    expect(figure('Types')).toBeLessThan(60_000)
  })
})
