import { described } from '../../core/option-names.ts'
import type { Option, OptionSpec, Side } from '../../core/option-types.ts'
import { optionNamed } from '../../core/options.ts'
import { formatUri, type UriParts } from '../../core/uri-format.ts'
import { createSink, createSource, type EndpointForm } from './create.ts'
import { ConfigError, misuse } from './errors.ts'
import { givenOptions } from './named-endpoint.ts'
import type { OptionInput } from './option-inputs.ts'
import { registry as processRegistry } from './registry.ts'
import type { DataSink, DataSource } from './types.ts'

/** Puts a URI together; every call gives a new builder, the old one stays as it is. */
export class UriBuilder<T> {
  readonly #side: Side
  readonly #parts: UriParts
  /** @internal */
  readonly options: readonly (readonly [string, OptionInput])[]

  /** @internal */
  constructor(side: Side, parts: UriParts, options: readonly (readonly [string, OptionInput])[] = []) {
    this.#side = side
    this.#parts = parts
    this.options = options
  }

  /** Adds a host; the port is the scheme's when it is left out. */
  host(name: string, port?: number): UriBuilder<T> {
    needText('host', name)
    return this.#with({ hosts: [...(this.#parts.hosts ?? []), { name, port }] })
  }

  user(name: string, password?: string): UriBuilder<T> {
    needText('user', name)
    return this.#with({ user: name, password })
  }

  /** The path, without escapes; one that begins with "/" is absolute. */
  path(path: string): UriBuilder<T> {
    needText('path', path)
    const absolute = path.startsWith('/')
    return this.#with({ path: (absolute ? path.slice(1) : path).split('/'), absolute })
  }

  /** Sets an option; it takes the place of an earlier value. */
  option(name: string, value: OptionInput): UriBuilder<T> {
    const others = this.options.filter(([other]) => other !== name)
    return new UriBuilder(this.#side, this.#parts, [...others, [name, value]])
  }

  #with(parts: Partial<UriParts>): UriBuilder<T> {
    return new UriBuilder(this.#side, { ...this.#parts, ...parts }, this.options)
  }

  /** A URI that gives the same source or sink. Secrets stand in it as they are. */
  toUri(): string {
    const { hosts = [], absolute = false } = this.#parts
    const spec = processRegistry.spec(this.#parts.scheme, this.#side)?.options ?? {}
    const params = this.options.flatMap(([name, input]) => paramsOf(spec, name, input))
    return formatUri({ ...this.#parts, hierarchical: hosts.length > 0 || absolute, params })
  }

  /** The source or sink; nothing is opened. */
  build(form: EndpointForm = {}): T {
    const uri = this.toUri()
    // What stands here was given as it is: a "$" is no variable.
    const plain = { ...form, env: false }
    return (this.#side === 'source' ? createSource(uri, {}, plain) : createSink(uri, {}, plain)) as T
  }
}

/** A builder for any scheme. */
export const sourceBuilder = (scheme: string): UriBuilder<DataSource> => builderOf('source', scheme)

/** A builder for any scheme. */
export const sinkBuilder = (scheme: string): UriBuilder<DataSink> => builderOf('sink', scheme)

function builderOf<T>(side: Side, scheme: string): UriBuilder<T> {
  needText('scheme', scheme)
  return new UriBuilder(side, { scheme })
}

function needText(part: string, given: unknown): void {
  if (typeof given !== 'string') throw misuse(`the ${part} of a URI is a text, not ${described(given)}`, `${part}('…')`)
}

function paramsOf(spec: OptionSpec, name: string, input: OptionInput): { name: string; value?: string }[] {
  return givenOptions({ [name]: input }).map((given) => {
    const found = optionNamed(spec, given.name)
    const key = found === undefined ? given.name : found.key === undefined ? found.name : `${found.name}.${found.key}`
    return { name: key, value: textOf(found?.option, given.value, name) }
  })
}

/** A value as it stands in a URI, before its escapes. */
function textOf(option: Option<unknown> | undefined, value: unknown, name: string): string {
  if (Array.isArray(value)) return value.map((item) => String(item).replaceAll(',', '\\,')).join(',')
  const text = value === undefined ? 'true' : String(value)
  const isControl = /[\u0000-\u001f\u007f]/.test(text)
  if (!isControl) return text
  if (option?.type === 'char' && text.length === 1) return `\\x${text.charCodeAt(0).toString(16).padStart(2, '0')}`
  throw new ConfigError([
    {
      code: 'connector_option_invalid',
      message: `option "${name}" has a control character, which a URI cannot hold`,
      option: name,
      hint: 'give it to createSource(uri, options)',
    },
  ])
}
