import type { Option, OptionSpec, Side } from '../../core/option-types.ts'
import { builtInOptions } from './connector-specs.ts'
import type { EndpointForm } from './create.ts'
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
/** What `blackholeSink()` gives: a method for each option of its scheme and side. */
export interface BlackholeSinkBuilder extends SinkOf<'blackhole', never, BlackholeSinkBuilder> {}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** What a place does to the URI: a path, or the one host that names a channel or table. */
const PLACES: Readonly<Record<string, (builder: UriBuilder<unknown>, text: string) => UriBuilder<unknown>>> = {
  path: (builder, text) => builder.path(text),
  channel: (builder, text) => builder.host(text),
  table: (builder, text) => builder.host(text),
  label: (builder, text) => builder.host(text),
}

function start<B>(name: keyof Specs, of: { readonly scheme: string; readonly side: Side; readonly place?: string }): B {
  const { scheme, side, place } = of
  const prototype: Record<string, unknown> = {}
  const make = (uri: UriBuilder<unknown>, placed: boolean): object =>
    Object.assign(Object.create(prototype) as object, {
      build: (form?: EndpointForm) => uri.build(form),
      toUri: () => uri.toUri(),
      [STATE]: { uri, placed },
    })
  for (const [option, spec] of Object.entries<Option<unknown>>(builtInOptions[name].options)) {
    if (spec.side !== undefined && spec.side !== side) continue
    prototype[camel(option)] = function (this: Stateful, ...values: OptionInput[]): object {
      const { uri, placed } = this[STATE]
      return make(uri.option(option, inputOf(spec, values)), placed)
    }
  }
  if (place !== undefined) {
    prototype[place] = function (this: Stateful, text: string): object {
      const { uri, placed } = this[STATE]
      // One host: the last call counts.
      const base = placed ? rebased(uri, scheme, side) : uri
      return make(PLACES[place]!(base, text), true)
    }
  }
  return make(new UriBuilder<unknown>(side, { scheme }), false) as B
}

const STATE = Symbol('state')
interface Stateful {
  readonly [STATE]: { readonly uri: UriBuilder<unknown>; readonly placed: boolean }
}

const rebased = (uri: UriBuilder<unknown>, scheme: string, side: Side): UriBuilder<unknown> =>
  uri.options.reduce((builder, [name, value]) => builder.option(name, value), new UriBuilder<unknown>(side, { scheme }))

function inputOf({ type }: Option<unknown>, values: readonly OptionInput[]): OptionInput {
  if (type === 'list') return values as readonly string[]
  return type === 'bool' ? (values[0] ?? true) : values[0]
}

/** Files of the local file system: `path` is a path, a folder or a glob. */
export const fileSource = (): FileSourceBuilder => start('file', { scheme: 'file', side: 'source', place: 'path' })
/** A file, or new files in a folder: its `path` then ends with a slash. */
export const fileSink = (): FileSinkBuilder => start('file', { scheme: 'file', side: 'sink', place: 'path' })
/** The rows of an in-process channel. */
export const memorySource = (): MemorySourceBuilder =>
  start('memory', { scheme: 'memory', side: 'source', place: 'channel' })
/** Rows for an in-process channel. */
export const memorySink = (): MemorySinkBuilder => start('memory', { scheme: 'memory', side: 'sink', place: 'channel' })
/** Rows made from a seed; `field` says how each column is made. */
export const datagenSource = (): DatagenSourceBuilder =>
  start('datagen', { scheme: 'datagen', side: 'source', place: 'label' })
/** Events of an online auction; `table` is `person`, `auction` or `bid`. */
export const nexmarkSource = (): NexmarkSourceBuilder =>
  start('nexmark', { scheme: 'nexmark', side: 'source', place: 'table' })
/** Standard input. */
export const stdinSource = (): StdinSourceBuilder => start('stdio', { scheme: 'stdin', side: 'source' })
/** Standard output. */
export const stdoutSink = (): StdoutSinkBuilder => start('stdio', { scheme: 'stdout', side: 'sink' })
/** Standard error. */
export const stderrSink = (): StdoutSinkBuilder => start('stdio', { scheme: 'stderr', side: 'sink' })
/** Takes every row, counts and hashes them. */
export const blackholeSink = (): BlackholeSinkBuilder => start('blackhole', { scheme: 'blackhole', side: 'sink' })
