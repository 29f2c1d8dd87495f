import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { Option } from '../../core/option-types.ts'
import { parseUri } from '../../core/uri.ts'
import { formatUri } from '../../core/uri-format.ts'
import { blackholeSink, fileSink, fileSource, memorySource, nexmarkSource, stdoutSink } from './builders.ts'
import { builtInSpecs } from './connector-specs.ts'
import { EngineSink } from './data-sink.ts'
import { EngineSource } from './data-source.ts'
import { type NamedEndpoint, nameEndpoint } from './named-endpoint.ts'
import type { OptionInput } from './option-inputs.ts'
import { registry } from './registry.ts'
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

  test('offer what the scheme and the side have', () => {
    expectTypeOf(fileSource().build()).toEqualTypeOf<DataSource>()
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
