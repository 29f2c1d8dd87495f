import { described } from '../../core/option-names.ts'
import type { Option, OptionSpec, Side } from '../../core/option-types.ts'
import { parseUri } from '../../core/uri.ts'
import type { UriParts } from '../../core/uri-format.ts'
import { builtInOptions } from './connector-specs.ts'
import type { EndpointForm } from './create.ts'
import { ConfigError, misuse } from './errors.ts'
import type { OptionInput } from './option-inputs.ts'
import type { DataSink, DataSource } from './types.ts'
import { UriBuilder } from './uri-builder.ts'

type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S
type Other<S extends Side> = S extends 'source' ? 'sink' : 'source'

/** Arguments by the type of an option: a number also takes a text with its unit, a truth value may be left out. */
type Arguments<V> = V extends boolean
  ? [on?: boolean]
  : V extends readonly string[]
    ? string[]
    : V extends ReadonlyMap<string, string>
      ? [entries: { readonly [key: string]: string }]
      : V extends number
        ? [value: number | string | Date]
        : [value: V]

type ValueOf<O extends Option<unknown>> = NonNullable<O['default']>

type Setters<S extends OptionSpec, E extends Side, Self> = {
  readonly [K in keyof S & string as S[K] extends { readonly side: Other<E> } ? never : Camel<K>]: (
    ...value: Arguments<ValueOf<S[K]>>
  ) => Self
}

/** A way to say where a source or sink is: its name and what it does to the URI. */
type Places<P extends string, Self> = { readonly [K in P]: (text: string) => Self }

/**
 * A typed builder: the options of one scheme and side, each a method, and where it is (`P`); every call gives a new
 * builder.
 */
type Builder<O extends { readonly options: OptionSpec }, E extends Side, P extends string, T, Self> = Setters<
  O['options'],
  E,
  Self
> &
  Places<P, Self> & {
    /** The source or sink; nothing is opened. Throws `ConfigError` with all that is wrong. */
    build(form?: EndpointForm): T
    /** A URI that gives the same source or sink. Secrets stand in it as they are. */
    toUri(): string
  }

type Specs = typeof builtInOptions
type SourceOf<N extends keyof Specs, P extends string, Self> = Builder<Specs[N], 'source', P, DataSource, Self>
type SinkOf<N extends keyof Specs, P extends string, Self> = Builder<Specs[N], 'sink', P, DataSink, Self>

/** What `fileSource()` gives: a method for each option of its scheme and side. */
export interface FileSourceBuilder extends SourceOf<'file', 'path', FileSourceBuilder> {}
/** What `fileSink()` gives: a method for each option of its scheme and side. */
export interface FileSinkBuilder extends SinkOf<'file', 'path', FileSinkBuilder> {}
/** What `memorySource()` gives: a method for each option of its scheme and side. */
export interface MemorySourceBuilder extends SourceOf<'memory', 'channel', MemorySourceBuilder> {}
/** What `memorySink()` gives: a method for each option of its scheme and side. */
export interface MemorySinkBuilder extends SinkOf<'memory', 'channel', MemorySinkBuilder> {}
/** What `datagenSource()` gives: a method for each option of its scheme and side. */
export interface DatagenSourceBuilder extends SourceOf<'datagen', 'label', DatagenSourceBuilder> {}
/** What `nexmarkSource()` gives: a method for each option of its scheme and side. */
export interface NexmarkSourceBuilder extends SourceOf<'nexmark', 'table', NexmarkSourceBuilder> {}
/** What `stdinSource()` gives: a method for each option of its scheme and side. */
export interface StdinSourceBuilder extends SourceOf<'stdio', never, StdinSourceBuilder> {}
/** What `stdoutSink()` gives: a method for each option of its scheme and side. */
export interface StdoutSinkBuilder extends SinkOf<'stdio', never, StdoutSinkBuilder> {}
/** What `busSource()` gives: a method for each option of its scheme and side. */
export interface BusSourceBuilder extends SourceOf<'bus', 'topic', BusSourceBuilder> {}
/** What `busSink()` gives: a method for each option of its scheme and side. */
export interface BusSinkBuilder extends SinkOf<'bus', 'topic', BusSinkBuilder> {}
/** What `chainSource()` gives: a method for each option of its scheme and side. */
export interface ChainSourceBuilder extends SourceOf<'chain', 'url' | 'folder' | 'name', ChainSourceBuilder> {}
/** What `instanceSource()` gives: a method for each option of its scheme and side. */
export interface InstanceSourceBuilder extends SourceOf<'instance', 'stream', InstanceSourceBuilder> {}
/** What `instanceSink()` gives: a method for each option of its scheme and side. */
export interface InstanceSinkBuilder extends SinkOf<'instance', 'stream', InstanceSinkBuilder> {}
/** What `blackholeSink()` gives: a method for each option of its scheme and side. */
export interface BlackholeSinkBuilder extends SinkOf<'blackhole', never, BlackholeSinkBuilder> {}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const ofHost = (scheme: string, name: string): UriParts => ({ scheme, hosts: [{ name }] })

/** What a place makes of its text: the parts of a URI. */
const PLACES = {
  path: pathParts,
  channel: ofHost,
  table: ofHost,
  label: ofHost,
  stream: ofHost,
  topic: (scheme, text) => {
    const [name = '', ...path] = text.split('/')
    return { ...ofHost(scheme, name), path }
  },
  url: (scheme, text) => {
    if (!/^(https?|wss?):\/\//.test(text)) {
      throw misuse(`"${text}" is no URL of a chain`, "url('http://localhost:8080'), or ws:, https:, wss:")
    }
    const { params, text: _, ...parts } = parseUri(`${scheme}+${text}`)
    if (params.length === 0) return parts
    throw misuse(`"${text}" has parameters`, 'options are methods: url(…).rows("block")')
  },
  folder: (scheme, text) => pathParts(`${scheme}+file`, text),
  name: (scheme, text) => ofHost(`${scheme}+memory`, text),
} as const satisfies Record<string, (scheme: string, text: string) => UriParts>

function pathParts(scheme: string, text: string): UriParts {
  const absolute = text.startsWith('/')
  return { scheme, absolute, path: (absolute ? text.slice(1) : text).split('/') }
}

interface Start {
  readonly scheme: string
  readonly side: Side
  readonly places?: readonly (keyof typeof PLACES)[]
}

function start<B>(name: keyof Specs, { scheme, side, places = [] }: Start): B {
  const prototype: Record<string, unknown> = {}
  const make = (uri: UriBuilder<unknown>, placed: boolean): object => {
    const whole = (): UriBuilder<unknown> =>
      placed || places.every((place) => place === 'label') ? uri : refusePlaceless(name, side, places)
    return Object.assign(Object.create(prototype) as object, {
      build: (form?: EndpointForm) => whole().build(form),
      toUri: () => whole().toUri(),
      [STATE]: { uri, placed },
    })
  }
  for (const [option, spec] of Object.entries<Option<unknown>>(builtInOptions[name].options)) {
    if (spec.side !== undefined && spec.side !== side) continue
    prototype[camel(option)] = function (this: Stateful, ...values: OptionInput[]): object {
      const { uri, placed } = this[STATE]
      return make(uri.option(option, inputOf(spec, values)), placed)
    }
  }
  for (const place of places) {
    prototype[place] = function (this: Stateful, text: string): object {
      if (typeof text !== 'string') throw misuse(`${place}: ${described(text)} is no text`, `${place}('…')`)
      // One place: the last call counts.
      return make(new UriBuilder<unknown>(side, PLACES[place](scheme, text), this[STATE].uri.options), true)
    }
  }
  return make(new UriBuilder<unknown>(side, { scheme }), false) as B
}

function refusePlaceless(name: string, side: Side, places: readonly string[]): never {
  throw new ConfigError([
    {
      code: 'connector_option_missing',
      message: `${name}${side === 'source' ? 'Source' : 'Sink'}() does not say where: ${places.join(', ')}`,
      hint: `call ${places.map((place) => `.${place}('…')`).join(' or ')} first`,
    },
  ])
}

const STATE = Symbol('state')
interface Stateful {
  readonly [STATE]: { readonly uri: UriBuilder<unknown>; readonly placed: boolean }
}

function inputOf({ type }: Option<unknown>, values: readonly OptionInput[]): OptionInput {
  if (type === 'list') return values as readonly string[]
  return type === 'bool' ? (values[0] ?? true) : values[0]
}

/** Files of the local file system: `path` is a path, a folder or a glob. */
export const fileSource = (): FileSourceBuilder => start('file', { scheme: 'file', side: 'source', places: ['path'] })
/** A file, or new files in a folder: its `path` then ends with a slash. */
export const fileSink = (): FileSinkBuilder => start('file', { scheme: 'file', side: 'sink', places: ['path'] })
/** The rows of an in-process channel. */
export const memorySource = (): MemorySourceBuilder =>
  start('memory', { scheme: 'memory', side: 'source', places: ['channel'] })
/** Rows for an in-process channel. */
export const memorySink = (): MemorySinkBuilder =>
  start('memory', { scheme: 'memory', side: 'sink', places: ['channel'] })
/** Rows made from a seed; `field` says how each column is made. */
export const datagenSource = (): DatagenSourceBuilder =>
  start('datagen', { scheme: 'datagen', side: 'source', places: ['label'] })
/** Events of an online auction; `table` is `person`, `auction` or `bid`. */
export const nexmarkSource = (): NexmarkSourceBuilder =>
  start('nexmark', { scheme: 'nexmark', side: 'source', places: ['table'] })
/** What is published to a topic of the in-process bus. */
export const busSource = (): BusSourceBuilder => start('bus', { scheme: 'bus', side: 'source', places: ['topic'] })
/** Publishes rows to a topic of the in-process bus. */
export const busSink = (): BusSinkBuilder => start('bus', { scheme: 'bus', side: 'sink', places: ['topic'] })
/** Batches of a chain: by `url` (http, https, ws, wss), out of a `folder`, or of the in-process chain of a `name`. */
export const chainSource = (): ChainSourceBuilder =>
  start('chain', { scheme: 'chain', side: 'source', places: ['url', 'folder', 'name'] })
/** The rows that code pushes into the in-process `stream` of a name: that of the handle given to `build`. */
export const instanceSource = (): InstanceSourceBuilder =>
  start('instance', { scheme: 'instance', side: 'source', places: ['stream'] })
/** Rows for the in-process `stream` of a name: that of the handle given to `build`. */
export const instanceSink = (): InstanceSinkBuilder =>
  start('instance', { scheme: 'instance', side: 'sink', places: ['stream'] })
/** Standard input. */
export const stdinSource = (): StdinSourceBuilder => start('stdio', { scheme: 'stdin', side: 'source' })
/** Standard output. */
export const stdoutSink = (): StdoutSinkBuilder => start('stdio', { scheme: 'stdout', side: 'sink' })
/** Standard error. */
export const stderrSink = (): StdoutSinkBuilder => start('stdio', { scheme: 'stderr', side: 'sink' })
/** Takes every row, counts and hashes them. */
export const blackholeSink = (): BlackholeSinkBuilder => start('blackhole', { scheme: 'blackhole', side: 'sink' })
