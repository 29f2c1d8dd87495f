import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Option } from '../../core/option-types.ts'
import { parseUri } from '../../core/uri.ts'
import { formatUri } from '../../core/uri-format.ts'
import {
  blackholeSink,
  busSink,
  busSource,
  chainSource,
  fileSink,
  fileSource,
  instanceSink,
  instanceSource,
  memorySource,
  nexmarkSource,
  stdoutSink,
} from './builders.ts'
import { builtInSpecs } from './connector-specs.ts'
import { EngineSink } from './data-sink.ts'
import { EngineSource } from './data-source.ts'
import { ConfigError } from './errors.ts'
import { type NamedEndpoint, nameEndpoint } from './named-endpoint.ts'
import { Headrace } from './open.ts'
import type { OptionInput } from './option-inputs.ts'
import { registry } from './registry.ts'
import { schemaOf } from './schema-text.ts'
import type { DataSink, DataSource } from './types.ts'
import { sinkBuilder, sourceBuilder, type UriBuilder } from './uri-builder.ts'

const namedOf = (built: DataSource | DataSink): NamedEndpoint => {
  if (built instanceof EngineSource || built instanceof EngineSink) return built.named
  throw new Error('not made by a connector')
}

const plain = ({ uri, options }: NamedEndpoint) => ({
  uri: { ...uri, text: '', params: uri.params.map(({ name, value }) => [name, value]) },
  options: Object.fromEntries(Object.entries(options)),
})

const text = fc.string({
  unit: fc.constantFrom('a', 'Z', '0', ' ', '%', '&', '=', '#', '?', '/', ',', 'ü', '→', '+', '\\'),
})

/** A value that the option takes. */
function someValue(option: Option<unknown>): fc.Arbitrary<OptionInput> {
  const min = option.min ?? 0
  const max = option.max ?? min + 1_000_000
  switch (option.type) {
    case 'text':
    case 'secret':
      return text
    case 'int':
    case 'dur':
    case 'bytes':
      return fc.integer({ min: Math.ceil(min), max: Math.floor(max) })
    case 'float':
      return fc.double({ min, max, noNaN: true })
    case 'bool':
      return fc.boolean()
    case 'choice':
      return fc.constantFrom(...option.choices!)
    case 'ts':
      return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2200-01-01') })
    case 'char':
      return fc.constantFrom(',', ';', '\t', '|', '&', '%', '#', '"', '\u001f')
    case 'list':
      return fc.array(fc.constantFrom('a', 'b c', 'd,e', 'ü&', '#'), { minLength: 1, maxLength: 3 })
    case 'map':
      return fc.dictionary(fc.constantFrom('id', 'n', 'x_y'), text, { minKeys: 1 })
  }
}

const SEED = Number(process.env['HEADRACE_SEED'] ?? 20_261_125)

describe(`built, then parsed: the same (seed ${SEED})`, () => {
  for (const side of ['source', 'sink'] as const) {
    for (const spec of builtInSpecs) {
      for (const scheme of side === 'source' ? spec.sources : spec.sinks) {
        test(`${scheme}: as a ${side}`, () => {
          const own = Object.entries(spec.options).filter(
            ([, option]) => (option.side === undefined || option.side === side) && !option.later,
          )
          const options = fc.record(Object.fromEntries(own.map(([name, option]) => [name, someValue(option)])), {
            requiredKeys: own.filter(([, option]) => option.required).map(([name]) => name),
          })
          fc.assert(
            fc.property(fc.constantFrom('name', 'a.b-c'), options, (name, given) => {
              let builder: UriBuilder<DataSource | DataSink> =
                side === 'source' ? sourceBuilder(scheme) : sinkBuilder(scheme)
              builder = scheme === 'file' ? builder.path(`/${name}/ä b?#%.csv`) : builder.host(name)
              for (const [option, value] of Object.entries(given))
                builder = builder.option(option, value as OptionInput)
              const built = namedOf(builder.build())
              const parsed = nameEndpoint(builder.toUri(), side, {}, { registry, environment: undefined })
              expect(plain(parsed)).toEqual(plain(built))
              const direct = nameEndpoint(
                scheme === 'file' ? `file:///${name}/x` : `${scheme}://${name}`,
                side,
                given,
                {
                  registry,
                  environment: undefined,
                },
              )
              expect(plain(direct).options).toEqual(plain(built).options)
            }),
            { seed: SEED, numRuns: 150 },
          )
        })
      }
    }
  }
})

test('parts give a text that parses to the same parts', () => {
  const part = fc.string({
    unit: fc.constantFrom('a', 'B', '7', ' ', '%', ':', '@', '/', '?', '#', ',', '[', ']', 'ü', '&', '='),
  })
  const some = part.filter((one) => one.length > 0)
  const host = fc.record({
    name: fc.oneof(
      some.filter((one) => !one.includes(':')),
      fc.constantFrom('::1', 'fe80::1%eth0'),
    ),
    port: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
  })
  const parts = fc.record({
    scheme: fc.constantFrom('kafka', 'sse+http', 'x-y2'),
    user: fc.option(part, { nil: undefined }),
    hosts: fc.array(host, { minLength: 1, maxLength: 3 }),
    path: fc.array(part, { maxLength: 3 }),
    params: fc.array(fc.record({ name: some, value: fc.option(part, { nil: undefined }) }), { maxLength: 3 }),
  })
  fc.assert(
    fc.property(parts, fc.option(part, { nil: undefined }), (given, secret) => {
      const password = given.user === undefined ? undefined : secret
      const uri = formatUri({ ...given, password })
      const { user, hosts, path, params } = parseUri(uri)
      expect({ user, hosts, path: path.length === 0 && given.path.length === 1 ? [''] : path }).toEqual({
        user: given.user,
        hosts: given.hosts,
        path: given.path,
      })
      expect(params.map(({ name, value }) => ({ name, value }))).toEqual(given.params)
      expect(formatUri(parseUri(uri))).toBe(uri)
    }),
    { seed: SEED, numRuns: 2000 },
  )
})

test.each([
  'file:///data/orders.csv?format=csv&delimiter=,',
  'kafka://u:p@b1,b2:9093,[::1]:9094/t',
  'memory:orders',
  'file:rel/a%20b.csv',
  'file:///',
  `s3://data-lake/events/year=\${year}/*.parquet?region=us-west-2`,
])('%s comes back as it was', (uri) => {
  expect(formatUri(parseUri(uri))).toBe(uri)
})

describe('typed builders', () => {
  test('are immutable and end in the same object', () => {
    const base = fileSource().path('/data/in.csv')
    const semicolons = base.format('csv').delimiter(';').batchRows(100)
    expect(base.toUri()).toBe('file:///data/in.csv')
    expect(semicolons.toUri()).toBe('file:///data/in.csv?format=csv&delimiter=;&batch_rows=100')
    expect(semicolons.path('rel/x.csv').toUri()).toBe('file:rel/x.csv?format=csv&delimiter=;&batch_rows=100')
    expect(semicolons.watch().pollInterval('2s').toUri()).toContain('&watch=true&poll_interval=2s')
    expect(memorySource().channel('a').channel('b').toUri()).toBe('memory://b')
    expect(nexmarkSource().table('bid').events(10).build().uri).toBe('nexmark://bid?events=10')
    expect(stdoutSink().format('csv').toUri()).toBe('stdout:?format=csv')
    expect(fileSink().path('/out/').partitionBy('a', 'b').toUri()).toBe('file:///out/?partition_by=a,b')
  })

  test('of what runs in this process, and of chains', () => {
    expect(busSource().topic('orders/eu').buffer(64).slow('drop_slow').toUri()).toBe(
      'bus://orders/eu?buffer=64&slow=drop_slow',
    )
    expect(busSink().topic('orders').build().uri).toBe('bus://orders')
    expect(instanceSource().stream('clicks').build().uri).toBe('instance://clicks')
    expect(instanceSink().stream('clicks').toUri()).toBe('instance://clicks')
    const chain = chainSource().rows('block').exitWhenIdle()
    expect(chain.url('https://node:8545/prefix').toUri()).toBe(
      'chain+https://node:8545/prefix?rows=block&exit_when_idle=true',
    )
    expect(chain.url('ws://node').build().uri).toContain('chain+ws://node')
    expect(chain.folder('/batches').toUri()).toBe('chain+file:///batches?rows=block&exit_when_idle=true')
    expect(chain.folder('/batches').name('test').toUri()).toContain('chain+memory://test')
    expect(() => chain.url('ftp://node')).toThrow('is no URL of a chain')
    expect(() => chain.url('http://node?rows=batch')).toThrow('has parameters')
    expect(() => chain.build()).toThrow('chain')
    // @ts-expect-error a topic is no path
    expect(() => busSource().path('/x')).toThrow(TypeError)
    // @ts-expect-error a chain is not written
    expect(() => chainSource().writeMode('append')).toThrow(TypeError)
  })

  test('move rows over the bus and through a stream of a handle', async () => {
    await using headrace = await Headrace.open({ state: false })
    const schema = await schemaOf('id BIGINT')
    const form = { instance: headrace, schema }
    const { source } = headrace.stream('numbers', { schema })
    await using reader = await instanceSource().stream('numbers').build(form).createReader()
    await source.push({ id: 7n })
    expect((await reader.read(1, { waitMs: 1000 })).map(({ value }) => value)).toEqual([{ id: 7n }])
    await using listener = await busSource().topic('t').build(form).createReader()
    expect(await listener.read(1, { waitMs: 0 })).toEqual([])
    await using writer = await busSink().topic('t').build(form).createWriter({ schema })
    await writer.write({ value: { id: 8n } })
    await writer.flush()
    expect((await listener.read(1, { waitMs: 1000 })).map(({ value }) => value)).toEqual([{ id: 8n }])
  })

  test('without a place say what is missing', () => {
    for (const build of [fileSource().build, busSource().build, instanceSink().build, memorySource().build]) {
      expect(build).toThrow(ConfigError)
    }
  })

  test('offer what the scheme and the side have', () => {
    expectTypeOf(fileSource().path('/x').build()).toEqualTypeOf<DataSource>()
    expectTypeOf(blackholeSink().build()).toEqualTypeOf<DataSink>()
    expectTypeOf(fileSource().format)
      .parameter(0)
      .toEqualTypeOf<'auto' | 'csv' | 'tsv' | 'json' | 'jsonl' | 'raw' | 'text'>()
    // @ts-expect-error a sink has no watch
    expect(() => fileSink().watch()).toThrow(TypeError)
    // @ts-expect-error a source is not written
    expect(() => fileSource().writeMode('append')).toThrow(TypeError)
    // @ts-expect-error no such format
    expect(() => fileSource().path('/x').format('xml').build()).toThrow('"xml" is not allowed')
    // @ts-expect-error a channel has no path
    expect(() => memorySource().path('/x')).toThrow(TypeError)
  })
})
