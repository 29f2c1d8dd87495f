import type { Connector } from '../../connectors/contract.ts'
import type { HeadraceError } from '../../core/errors.ts'
import { described, hasMethods } from '../../core/option-names.ts'
import type { Side } from '../../core/option-types.ts'
import { nearestNames } from '../../core/suggest.ts'
import { laterSchemes } from '../catalogue.ts'
import { builtInSpecs, type ConnectorSpec, specOf } from './connector-specs.ts'
import { ConfigError, DataSourceError, misuse, refuseUnknown } from './errors.ts'
import { type JsonSchema, optionsSchema } from './json-schema.ts'
import type { OptionInputs } from './option-inputs.ts'
import type { DataSink, DataSource } from './types.ts'

/** Makes the source of a URI without any network or file access. */
export type SourceFactory = (uri: string, options: OptionInputs) => DataSource
/** Makes the sink of a URI without any network or file access. */
export type SinkFactory = (uri: string, options: OptionInputs) => DataSink

/** The options of a scheme, by side. */
export interface SchemeDescription {
  readonly scheme: string
  readonly connector: string
  readonly source?: JsonSchema | undefined
  readonly sink?: JsonSchema | undefined
}

interface Replacing {
  /** The scheme may be taken: the new one is in its place from then on. */
  readonly replace?: boolean | undefined
}

/** Which connector a scheme means. `createSource` and `createSink` use the one of the process unless told otherwise. */
export class ConnectorRegistry {
  readonly #connectors: Record<Side, Map<string, ConnectorSpec>> = { source: new Map(), sink: new Map() }
  readonly #factories = { source: new Map<string, SourceFactory>(), sink: new Map<string, SinkFactory>() }
  readonly #later: ReadonlySet<string>

  /** `builtins: false`: no scheme is known at first. */
  constructor(options: { readonly builtins?: boolean | undefined } = {}) {
    refuseUnknown('a registry', options, { builtins: true })
    const builtins = options.builtins ?? true
    this.#later = new Set(builtins ? laterSchemes : [])
    if (builtins) for (const spec of builtInSpecs) this.#add(spec)
  }

  /** Adds a connector: for `createSource` and `createSink`, and for SQL. */
  registerConnector(connector: Connector, options: Replacing = {}): void {
    const replace = replaces('registerConnector', options)
    refuseNoConnector(connector)
    const spec = specOf(connector)
    if (!replace) for (const scheme of connector.schemes) this.#refuseTaken(scheme)
    for (const scheme of connector.schemes) this.unregister(scheme)
    this.#add(spec)
  }

  registerSource(scheme: string, factory: SourceFactory, options: Replacing = {}): void {
    const replace = replaces('registerSource', options)
    refuseNoFactory(scheme, factory)
    if (!replace && this.hasSource(scheme)) this.#refuse(scheme)
    this.#connectors.source.delete(scheme)
    this.#factories.source.set(scheme, factory)
  }

  registerSink(scheme: string, factory: SinkFactory, options: Replacing = {}): void {
    const replace = replaces('registerSink', options)
    refuseNoFactory(scheme, factory)
    if (!replace && this.hasSink(scheme)) this.#refuse(scheme)
    this.#connectors.sink.delete(scheme)
    this.#factories.sink.set(scheme, factory)
  }

  /** False when nothing was registered for it. */
  unregister(scheme: string): boolean {
    const sides = ['source', 'sink'] as const
    const deleted = sides.flatMap((side) => [
      this.#connectors[side].delete(scheme),
      this.#factories[side].delete(scheme),
    ])
    return deleted.includes(true)
  }

  hasSource(scheme: string): boolean {
    return this.#connectors.source.has(scheme) || this.#factories.source.has(scheme)
  }

  hasSink(scheme: string): boolean {
    return this.#connectors.sink.has(scheme) || this.#factories.sink.has(scheme)
  }

  sourceSchemes(): string[] {
    return [...this.#connectors.source.keys(), ...this.#factories.source.keys()].sort()
  }

  sinkSchemes(): string[] {
    return [...this.#connectors.sink.keys(), ...this.#factories.sink.keys()].sort()
  }

  /** The options of a scheme as JSON Schema; those of a factory are not known. */
  describe(scheme: string): SchemeDescription {
    if (typeof scheme !== 'string') throw misuse(`a scheme is a text, not ${described(scheme)}`, "describe('file')")
    const source = this.#connectors.source.get(scheme)
    const sink = this.#connectors.sink.get(scheme)
    const name = source?.name ?? sink?.name
    if (name === undefined && !this.hasSource(scheme) && !this.hasSink(scheme)) throw this.unknown(scheme, 'source')
    return {
      scheme,
      connector: name ?? scheme,
      source: source && optionsSchema(source.options, 'source'),
      sink: sink && optionsSchema(sink.options, 'sink'),
    }
  }

  /** @internal */
  get schemes(): readonly string[] {
    return [...new Set([...this.sourceSchemes(), ...this.sinkSchemes(), ...this.#later])].sort()
  }

  /** @internal */
  async connectorFor(scheme: string): Promise<Connector> {
    const spec = this.#connectors.source.get(scheme) ?? this.#connectors.sink.get(scheme)
    if (spec !== undefined) return await spec.load()
    throw this.unknown(scheme, 'source')
  }

  /** @internal */
  factory(side: 'source', scheme: string): SourceFactory | undefined
  factory(side: 'sink', scheme: string): SinkFactory | undefined
  factory(side: Side, scheme: string): SourceFactory | SinkFactory | undefined {
    return this.#factories[side].get(scheme)
  }

  /** @internal Undefined: the connector is not built yet, its first use says so. Throws for an unknown scheme. */
  spec(scheme: string, side: Side): ConnectorSpec | undefined {
    const spec = this.#connectors[side].get(scheme)
    if (spec !== undefined || this.#later.has(scheme)) return spec
    const other = this.#connectors[side === 'source' ? 'sink' : 'source'].has(scheme)
    if (!other) throw this.unknown(scheme, side)
    throw new ConfigError([
      {
        code: 'connector_side_unsupported',
        message: `"${scheme}:" is not a ${side}`,
        hint: `${side}s: ${(side === 'source' ? this.sourceSchemes() : this.sinkSchemes()).join(', ')}`,
      },
    ])
  }

  /** @internal */
  unknown(scheme: string, side: Side): HeadraceError {
    if (this.#later.has(scheme)) {
      return new DataSourceError('Unsupported', 'not_implemented', `the connector for "${scheme}:" is not built yet`, {
        hint: `built: ${side === 'source' ? this.sourceSchemes().join(', ') : this.sinkSchemes().join(', ')}`,
      })
    }
    const [nearest] = nearestNames(scheme, this.schemes)
    return new ConfigError([
      {
        code: 'connector_scheme_unknown',
        message: `No factory registered for ${side} scheme: ${scheme}`,
        hint: nearest === undefined ? `schemes: ${this.schemes.join(', ')}` : `did you mean "${nearest}"?`,
      },
    ])
  }

  #add(spec: ConnectorSpec): void {
    for (const scheme of spec.sources) this.#connectors.source.set(scheme, spec)
    for (const scheme of spec.sinks) this.#connectors.sink.set(scheme, spec)
  }

  #refuseTaken(scheme: string): void {
    if (this.hasSource(scheme) || this.hasSink(scheme)) this.#refuse(scheme)
  }

  #refuse(scheme: string): never {
    throw new ConfigError([
      {
        code: 'connector_option_conflict',
        message: `the scheme "${scheme}" is registered already`,
        hint: 'give { replace: true } to put another connector in its place',
      },
    ])
  }
}

/** The registry of the process: every built-in scheme, and what was added. */
export const registry: ConnectorRegistry = new ConnectorRegistry()

/** Adds a connector to the registry of the process. */
export function registerConnector(connector: Connector, options: Replacing = {}): void {
  registry.registerConnector(connector, options)
}

function replaces(call: string, options: Replacing): boolean {
  refuseUnknown(call, options, { replace: true })
  return options.replace ?? false
}

function refuseNoFactory(scheme: unknown, factory: unknown): void {
  if (typeof scheme === 'string' && /^[a-z][a-z0-9+.-]*$/.test(scheme) && typeof factory === 'function') return
  const given = typeof factory === 'function' ? `the scheme ${described(scheme)}` : `the factory ${described(factory)}`
  throw misuse(
    `a scheme has a name in small letters and a factory, not ${given}`,
    "registerSource('queue', (uri, options) => source)",
  )
}

/** A connector of plain JavaScript: what is looked at before it is first used. */
function refuseNoConnector(connector: Connector): void {
  const given = connector as Partial<Connector> | null | undefined
  const fault =
    typeof given?.name !== 'string'
      ? 'a name'
      : !Array.isArray(given.schemes) || given.schemes.length === 0
        ? 'schemes'
        : typeof given.options !== 'object'
          ? 'options'
          : typeof given.capabilities !== 'object'
            ? 'capabilities'
            : given.capabilities.source !== undefined && !hasMethods(given, 'openSource')
              ? 'openSource'
              : given.capabilities.sink !== undefined && !hasMethods(given, 'openSink')
                ? 'openSink'
                : undefined
  if (fault === undefined) return
  const name = typeof given?.name === 'string' ? `the connector "${given.name}"` : described(connector)
  throw misuse(`${name} cannot be registered: it has no ${fault}`, 'docs/guide/library.md shows a whole one')
}
