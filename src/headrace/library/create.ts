import { described, type OptionNames } from '../../core/option-names.ts'
import type { Schema } from '../../core/types.ts'
import { parseUri as parse, schemeOf, type Uri } from '../../core/uri.ts'
import { formatUri, type UriParts } from '../../core/uri-format.ts'
import { replaceVariables } from '../../core/variables.ts'
import type { Engine } from '../engine.ts'
import { EngineSink } from './data-sink.ts'
import { EngineSource, type Place } from './data-source.ts'
import { ConfigError, problemsOf, refuseUnknown } from './errors.ts'
import { processEngine } from './instance.ts'
import { nameEndpoint } from './named-endpoint.ts'
import type { OptionInputs } from './option-inputs.ts'
import { type ConnectorRegistry, registry as processRegistry } from './registry.ts'
import type { DataSink, DataSource } from './types.ts'

/** What shares channels, memory and connectors: `Headrace.open()` gives one. */
export interface Instance {
  /** @internal */
  readonly engine: Engine
  readonly registry: ConnectorRegistry
}

/** Where a source or sink belongs, and how its URI is read. */
export interface EndpointForm {
  /** Which connector a scheme means; the registry of the process by default. */
  readonly registry?: ConnectorRegistry | undefined
  /** The handle whose in-process channels are meant; those of the process by default. */
  readonly instance?: Instance | undefined
  /** False: `${NAME}` in the URI is not replaced by the environment. */
  readonly env?: boolean | undefined
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
  /** Columns that are not looked for. */
  readonly schema?: Schema | undefined
}

/** What a source or sink is told of its place. */
export const FORM: OptionNames<EndpointForm> = {
  registry: true,
  instance: true,
  env: true,
  environment: true,
  schema: true,
}

/**
 * A source by URI or path. Everything is checked at once, nothing is opened: that happens on first use.
 *
 * @throws ConfigError with all that is wrong.
 */
export function createSource(where: string | URL, options: OptionInputs = {}, form: EndpointForm = {}): DataSource {
  refuseUnknown('the form of a source', form, FORM)
  const [uri, place] = [textOfUri(where, 'createSource'), placeOf(form)]
  const factory = place.registry.factory('source', schemeOf(uri) ?? 'file')
  if (factory !== undefined) return factory(uri, options)
  return new EngineSource(nameEndpoint(uri, 'source', options, { ...place, environment: environmentOf(form) }), place)
}

/**
 * A sink by URI or path. Everything is checked at once, nothing is opened: that happens on first use.
 *
 * @throws ConfigError with all that is wrong.
 */
export function createSink(where: string | URL, options: OptionInputs = {}, form: EndpointForm = {}): DataSink {
  refuseUnknown('the form of a sink', form, FORM)
  const [uri, place] = [textOfUri(where, 'createSink'), placeOf(form)]
  const factory = place.registry.factory('sink', schemeOf(uri) ?? 'file')
  if (factory !== undefined) return factory(uri, options)
  return new EngineSink(nameEndpoint(uri, 'sink', options, { ...place, environment: environmentOf(form) }), place)
}

function textOfUri(where: unknown, call: string): string {
  if (typeof where === 'string' && where !== '') return where
  if (where instanceof URL) return where.href
  throw new ConfigError([
    {
      code: 'connector_uri_invalid',
      message: `${call}: a URI or path is a text, not ${where === '' ? 'an empty one' : described(where)}`,
      hint: `${call}('file:///data/orders.csv')`,
    },
  ])
}

function placeOf({ registry, instance, schema }: EndpointForm): Place {
  return {
    registry: registry ?? instance?.registry ?? processRegistry,
    engine: instance === undefined ? processEngine : () => instance.engine,
    schema,
  }
}

const environmentOf = ({ env, environment }: Pick<EndpointForm, 'env' | 'environment'>) =>
  env === false ? undefined : (environment ?? process.env)

/**
 * The parts of a URI, each decoded once; `${NAME}` is replaced by the environment unless `env` is false.
 *
 * @throws ConfigError with the column of the fault.
 */
export function parseUri(where: string | URL, form: Pick<EndpointForm, 'env' | 'environment'> = {}): Uri {
  if (where === last?.text) return again(last)
  refuseUnknown('the form of parseUri', form, PARSE_FORM)
  const text = textOfUri(where, 'parseUri')
  const environment = environmentOf(form)
  try {
    const isVariable = text.includes('${')
    if (environment !== undefined && isVariable) return parse(withVariables(text, environment))
    const uri = parse(text)
    // What a variable stands for may be asked for the next time.
    if (!isVariable) last = uri
    return uri
  } catch (error) {
    throw new ConfigError(problemsOf(error))
  }
}

const PARSE_FORM: OptionNames<Pick<EndpointForm, 'env' | 'environment'>> = { env: true, environment: true }

/** The last URI that was parsed: loops name the same one again and again. */
let last: Uri | undefined

/** Frozen, as it is given more than once. */
function again(uri: Uri): Uri {
  if (Object.isFrozen(uri)) return uri
  for (const list of [uri.hosts, uri.path, uri.params]) {
    for (const item of list) Object.freeze(item)
    Object.freeze(list)
  }
  return Object.freeze(uri)
}

function withVariables(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  const fail = (name: string, message: string): never => {
    throw new ConfigError([
      {
        code: 'connector_uri_invalid',
        message: message === '' ? `variable "${name}" has no value` : message,
        option: name,
        hint: `set ${name}, give a default: \${${name}:-value}, or turn variables off: { env: false }`,
      },
    ])
  }
  return replaceVariables(text, {
    value: (name) => {
      const value = environment[name]
      return value === undefined ? undefined : encodeURIComponent(value)
    },
    secret: (name) => fail(name, `secret "${name}" is not known here`),
    missing: fail,
  })
}

export { formatUri, type Uri, type UriParts }
