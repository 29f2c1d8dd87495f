import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Batch, encodeBatch } from '../../src/chain/chain.ts'
import { chainSchemas, rowValues } from '../../src/chain/rows.ts'
import { Random } from '../../src/core/random.ts'
import { MemoryStore } from '../../src/datastreams/memory-store.ts'
import { DataStreamsService } from '../../src/datastreams/service.ts'
import { hostStreams } from '../../src/datastreams/stream/client.ts'
import { connectors } from '../../src/headrace/catalogue.ts'
import { ChainModel } from '../../src/testkit/chain-model.ts'
import {
  type ConformanceDriver,
  conformanceCases,
  runConformance,
  staleWaivers,
} from '../../src/testkit/conformance.ts'
import { MockAccountChecker } from '../../src/testkit/mock-account-checker.ts'

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

/** Batches of a fixed chain, in files; the rows are those of its first batches. */
const chainModel = new ChainModel(new Random(5))
chainModel.grow(1000, { least: 0, most: 2 })
const chainFolder = (uri: string): string => uri.replace(/^chain\+file:\/\//, '').replace(/\?.*$/, '')

function putBatches(folder: string, batches: readonly Batch[]): void {
  mkdirSync(folder, { recursive: true })
  for (const batch of batches) writeFileSync(join(folder, `${batch.id.number}.json`), `${encodeBatch(batch)}\n`)
}

const chainDriver: ConformanceDriver = {
  baseDirectory: directory,
  freshUri: () => `chain+file://${join(directory, `b${n++}`)}?exit_when_idle=true`,
  sample: {
    schema: chainSchemas.batch,
    rows: (count) => chainModel.batches.slice(0, count).map((batch) => rowValues(batch, 0, 'batch')),
  },
  produce: async (uri, rows) => putBatches(chainFolder(uri), chainModel.batches.slice(0, rows.length)),
  replace: async (uri) => {
    const other = new ChainModel(new Random(6))
    other.grow(10)
    putBatches(chainFolder(uri), other.batches)
  },
  waive: {
    'empty, NULL and Unicode values, 64-bit integers and decimals come back exactly':
      'its columns are those of a batch; extreme numbers are in src/chain/connector.faults.test.ts',
    'a long value comes back whole': 'its columns are those of a batch, which has a limit of 10 MiB',
    'a reject keeps the original bytes, and the rows around it come':
      'a batch that cannot be read is refused and stops the source: the rows behind it hang on it',
    'a transactional sink gives every row once, wherever its process dies': 'it is a source only',
  },
}

/** Streams of a service of this process; names are given out before anybody uses them. */
const streamStore = new MemoryStore()
const streamService = new DataStreamsService({ accounts: new MockAccountChecker('a'), store: streamStore })
const streamOf = (uri: string): string => /^stream:\/\/\/(\w+)/.exec(uri)![1]!
const newStream = (name: string) => streamService.createStream({ accountId: 'a', name, symbol: name, status: 'active' })
const named = async (name: string) => (await streamService.listStreams('a', { symbol: name.toUpperCase() }))[0]!
let endHosting = (): void => {}
beforeAll(async () => {
  for (let i = 0; i < 100; i++) await newStream(`s${i}`)
  endHosting = hostStreams({ service: streamService, account: 'a' })
})
afterAll(() => endHosting())
let streams = 0

const streamDriver: ConformanceDriver = {
  baseDirectory: directory,
  freshUri: () => `stream:///s${streams++}?exit_when_idle=true`,
  replace: async (uri) => {
    const name = streamOf(uri)
    await streamService.deleteStream('a', (await named(name)).id)
    await newStream(name)
  },
  damage: async (uri) => {
    const { id } = await named(streamOf(uri))
    await streamService.createFrame('a', id, undefined, { id: 'x' })
    return Buffer.from('{"id":"x"}')
  },
}

/** Every connector that can be read and written, or the reason why the suite does not apply to it. */
const drivers: Readonly<Record<string, { readonly scheme: string; readonly driver: ConformanceDriver }>> = {
  'file (jsonl)': { scheme: 'file', driver: fileDriver('jsonl', '{"id":\n') },
  'file (csv)': {
    scheme: 'file',
    driver: fileDriver('csv', 'x,y\n'),
  },
  'file (folder)': { scheme: 'file', driver: folderDriver },
  chain: { scheme: 'chain', driver: chainDriver },
  stream: { scheme: 'stream', driver: streamDriver },
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
