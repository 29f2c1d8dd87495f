import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { connectors } from '../../src/headrace/catalogue.ts'
import {
  type ConformanceDriver,
  conformanceCases,
  runConformance,
  staleWaivers,
} from '../../src/testkit/conformance.ts'

const directory = mkdtempSync(join(tmpdir(), 'headrace-conformance-'))
afterAll(() => rmSync(directory, { recursive: true }))

let n = 0
const filePath = (extension: string): string => join(directory, `c${n++}.${extension}`)
const pathOf = (uri: string): string => uri.replace(/^file:\/\//, '').replace(/\?.*$/, '')

const fileDriver = (extension: string, broken: string): ConformanceDriver => ({
  baseDirectory: directory,
  freshUri: () => `file://${filePath(extension)}`,
  replace: async (uri) =>
    writeFileSync(pathOf(uri), extension === 'jsonl' ? '{"id":7}\n' : 'id,name,amount,share,flag,at\n7,,,,,\n'),
  damage: async (uri) => {
    appendFileSync(pathOf(uri), broken)
    return Buffer.from(broken)
  },
})

/** New files in a folder: read as one. */
const folderDriver: ConformanceDriver = {
  baseDirectory: directory,
  freshUri: () => `file://${join(directory, `f${n++}`)}/`,
  replace: async (uri) => writeFileSync(onlyFile(uri), '{"id":7}\n'),
  damage: async (uri) => {
    appendFileSync(onlyFile(uri), '{"id":\n')
    return Buffer.from('{"id":\n')
  },
}

const onlyFile = (uri: string): string => join(pathOf(uri), readdirSync(pathOf(uri))[0]!)

/** Every connector that can be read and written, or the reason why the suite does not apply to it. */
const drivers: Readonly<Record<string, { readonly scheme: string; readonly driver: ConformanceDriver }>> = {
  'file (jsonl)': { scheme: 'file', driver: fileDriver('jsonl', '{"id":\n') },
  'file (csv)': {
    scheme: 'file',
    driver: fileDriver('csv', 'x,y\n'),
  },
  'file (folder)': { scheme: 'file', driver: folderDriver },
}

const elsewhere: Readonly<Record<string, string>> = {
  blackhole: 'a sink that keeps nothing',
  bus: 'in-process, keeps nothing and knows no offset: covered by src/headrace/in-process.test.ts',
  datagen: 'a generator: its rows are fixed by the seed (src/connectors/datagen)',
  instance: 'streams of the process, filled by code: covered by src/headrace/in-process.test.ts',
  memory: 'in-process and endless: covered by the SQL goldens and by core/ring',
  nexmark: 'a generator with golden values (src/connectors/nexmark)',
  stdio: 'the process’s own handles: covered end to end',
}

test('every connector is in the suite or says why not', () => {
  const covered = new Set([...Object.values(drivers).map(({ scheme }) => scheme), ...Object.keys(elsewhere)])
  expect(connectors.map((entry) => entry.name).filter((name) => !covered.has(name))).toEqual([])
})

for (const [name, { scheme, driver }] of Object.entries(drivers)) {
  describe(name, () => {
    test('waivers name cases', () => expect(staleWaivers(driver)).toEqual([]))
    for (const one of conformanceCases) test(one.name, () => runConformance(one, driver, scheme))
  })
}
