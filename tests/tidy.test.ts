import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')

/** The folders of src/, in reading order, and what each may import beside core (DESIGN: the folder list is the road). */
const folders: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kernels: [],
  log: ['kernels'],
  clients: [],
  formats: ['kernels'],
  registry: ['log', 'clients', 'formats'],
  connectors: ['kernels', 'log', 'clients', 'formats', 'registry'],
  channels: ['connectors'],
  expr: ['kernels'],
  sql: ['expr'],
  state: ['kernels'],
  checkpoint: ['kernels', 'log', 'clients'],
  operators: ['kernels', 'expr', 'state'],
  runtime: [
    'kernels',
    'log',
    'clients',
    'formats',
    'registry',
    'connectors',
    'channels',
    'expr',
    'sql',
    'state',
    'checkpoint',
    'operators',
  ],
  processor: ['connectors', 'channels'],
  chain: ['clients', 'log', 'connectors'],
  datastreams: ['log', 'clients', 'connectors', 'channels'],
  headrace: [
    'kernels',
    'log',
    'clients',
    'formats',
    'registry',
    'connectors',
    'channels',
    'expr',
    'sql',
    'state',
    'checkpoint',
    'operators',
    'runtime',
    'processor',
    'chain',
    'datastreams',
  ],
  client: [],
  service: ['headrace', 'datastreams', 'registry', 'chain', 'processor'],
  cli: ['headrace', 'client', 'connectors', 'sql', 'formats', 'service'],
  testkit: [
    'kernels',
    'log',
    'clients',
    'formats',
    'registry',
    'connectors',
    'channels',
    'expr',
    'sql',
    'state',
    'checkpoint',
    'operators',
    'runtime',
    'processor',
    'chain',
    'datastreams',
    'headrace',
    'client',
  ],
}

const LINES_MAX = 500
const CONNECTOR_FILES = /^(connector|options|client|source|sink|[a-z]+\.test)\.ts$/
/** Where ambient time, timers and chance live. */
const AMBIENT_HOME = new Set(['core/clock.ts', 'core/random.ts'])
const AMBIENT = /\bDate\.now\b|\bperformance\.now\b|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bnew Date\(\)/

interface SourceFile {
  /** Relative to src/. */
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return entry.name === 'asm' ? [] : filesBelow(path)
    return /\.ts$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : []
  })
}

const src = join(root, 'src')
const files: readonly SourceFile[] = filesBelow(src).map((path) => {
  const text = readFileSync(path, 'utf8')
  const imports = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target]) =>
    relative(src, resolve(dirname(path), target!)),
  )
  return { path: relative(src, path), text, imports }
})

const folderOf = (path: string): string => path.split('/')[0]!
const isTest = (path: string): boolean => path.endsWith('.test.ts')
const product = files.filter((file) => !isTest(file.path))

test('every folder of src/ is in the table', () => {
  const found = new Set(files.map((file) => folderOf(file.path)))
  expect([...found].filter((folder) => !(folder in folders))).toEqual([])
})

test('imports only point up the folder list', () => {
  const wrong = product.flatMap(({ path, imports }) => {
    const folder = folderOf(path)
    return imports
      .map(folderOf)
      .filter((target) => target !== folder && target !== 'core' && target.endsWith('.json') === false)
      .filter((target) => !folders[folder]!.includes(target))
      .map((target) => `${path} imports ${target}/`)
  })
  expect(wrong).toEqual([])
})

test('connectors know nothing of each other and hold the six files and parts/', () => {
  const inConnectors = product.filter((file) => /^connectors\/[^/]+\//.test(file.path))
  const names = new Set(inConnectors.map((file) => file.path.split('/')[1]!))
  const wrong = inConnectors.flatMap(({ path, imports }) => {
    const [, name = '', file = ''] = path.split('/')
    const foreign = imports.filter((target) => {
      const [folder, other = ''] = target.split('/')
      return folder === 'connectors' && other !== name && names.has(other)
    })
    const odd = file !== 'parts' && !CONNECTOR_FILES.test(file) ? [`${path} is none of the six files`] : []
    return [...odd, ...foreign.map((target) => `${path} imports ${target}`)]
  })
  expect(wrong).toEqual([])
})

test('there are no import cycles', () => {
  const graph = new Map(product.map((file) => [file.path, file.imports]))
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done' || !graph.has(path)) return
    if (state.get(path) === 'open') {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    state.set(path, 'open')
    for (const target of graph.get(path)!) visit(target, [...trail, path])
    state.set(path, 'done')
  }
  for (const { path } of product) visit(path, [])
  expect(cycles).toEqual([])
})

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const lengths = product.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
  const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b)
  console.info(`${sorted.length} files, median ${sorted[sorted.length >> 1]} lines, longest ${sorted.at(-1)}`)
  expect(lengths.filter(({ lines }) => lines > LINES_MAX)).toEqual([])
})

test('no default export, no barrel, no star export', () => {
  const wrong = files
    .filter(({ path, text }) => /^export (default|\*)/m.test(text) || /(^|\/)index\.ts$/.test(path))
    .map(({ path }) => path)
  expect(wrong).toEqual([])
})

test('time, timers and chance come from their one home', () => {
  const wrong = files
    .filter(({ path, text }) => !AMBIENT_HOME.has(path) && AMBIENT.test(text.replace(/^\s*(\/\/|\*).*$/gm, '')))
    .map(({ path }) => path)
  expect(wrong).toEqual([])
})

test('the catalogue names every connector folder', () => {
  const entries = readdirSync(join(src, 'connectors'), { withFileTypes: true })
  const built = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const text = readFileSync(join(src, 'headrace/catalogue.ts'), 'utf8')
  expect(built.filter((name) => !text.includes(`connectors/${name}/connector.ts`))).toEqual([])
})

test('the words of the repository are its own', () => {
  const wrong = files.filter(({ text }) => /\/work\/|subagent|\b(TODO|FIXME|XXX)\b/.test(text)).map(({ path }) => path)
  expect(wrong).toEqual([])
})
