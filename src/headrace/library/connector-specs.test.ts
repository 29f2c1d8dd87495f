import { expect, test } from 'vitest'
import { connectors, laterSchemes } from '../catalogue.ts'
import { builtInSpecs } from './connector-specs.ts'
import { ConnectorRegistry } from './registry.ts'

test.each(connectors)(
  'what is known of $name before it is loaded is what it says itself',
  async ({ name, schemes, load }) => {
    const spec = builtInSpecs.find((one) => one.name === name)!
    const { options, capabilities } = await load()
    expect(spec.options).toBe(options)
    expect([...new Set([...spec.sources, ...spec.sinks])].sort()).toEqual([...schemes].sort())
    expect(spec.sources.length > 0).toBe(capabilities.source !== undefined)
    expect(spec.sinks.length > 0).toBe(capabilities.sink !== undefined)
  },
)

test('a registry lists what it has, sorted, and describes it', () => {
  const registry = new ConnectorRegistry()
  expect(registry.sourceSchemes()).toEqual([...registry.sourceSchemes()].sort())
  expect(registry.hasSource('file') && registry.hasSink('file')).toBe(true)
  expect(registry.hasSource('stdout')).toBe(false)
  for (const scheme of laterSchemes) expect(registry.hasSource(scheme) || registry.hasSink(scheme)).toBe(false)
  const { source, sink } = registry.describe('file')
  expect(source!.properties['batch_rows']).toEqual({
    type: 'integer',
    description: expect.any(String),
    default: 8192,
    minimum: 1,
    maximum: 16_384,
  })
  expect(source!.properties['write_mode']).toBeUndefined()
  expect(sink!.properties['write_mode']!.enum).toEqual(['append', 'create', 'overwrite'])
  expect(() => registry.describe('fiel')).toThrow('No factory registered')
  const empty = new ConnectorRegistry({ builtins: false })
  expect([empty.sourceSchemes(), empty.sinkSchemes()]).toEqual([[], []])
  expect(empty.unregister('file')).toBe(false)
})
