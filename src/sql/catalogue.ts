import type { Schema } from '../core/types.ts'
import type { SystemColumn } from './system-columns.ts'

/** A value of `WITH (…)`, `SET` or an annotation, as written; numbers keep their text. */
export type OptionValue = string | boolean | readonly OptionValue[]

export interface OptionEntry {
  readonly name: string
  readonly value: OptionValue
}

/** A source named by URI, as the script asks for it. */
export interface SourceRequest {
  readonly uri: string
  readonly options: readonly OptionEntry[]
  /** Declared columns (physical ones only), or undefined: discover. */
  readonly columns: Schema | undefined
}

/** What the binder needs to know of a source. */
export interface SourceInfo {
  /** Scheme-independent name of the connector: `file`, `nexmark`. */
  readonly connector: string
  /** The URI as printed: secrets redacted. */
  readonly uri: string
  /** Name of the in-process channel that it reads; undefined for everything outside. */
  readonly channel?: string | undefined
  /** Declared or discovered columns, in order. */
  readonly schema: Schema
  readonly bounded: boolean
  readonly changes: 'append' | 'changelog'
  /** Key column names of a changelog. */
  readonly key: readonly string[]
  readonly systemColumns: readonly SystemColumn[]
  /** Column named by option `event_time`, with its delay; undefined when the source declares no time. */
  readonly eventTime: { readonly column: string; readonly delayMicros: number } | undefined
  /** Delay for an event-time column that the query finds (`watermark_delay`, default 5 s), microseconds. */
  readonly watermarkDelayMicros: number
  /** Rows whose event time is further ahead of the clock are quarantined, microseconds; undefined: none are. */
  readonly maxFutureSkewMicros?: number | undefined
  /** True when the decoder can leave columns unread. */
  readonly projects: boolean
  /** Parsed options, for whoever opens the source; opaque here. */
  readonly handle: unknown
}

export interface SinkRequest {
  readonly uri: string
  readonly options: readonly OptionEntry[]
}

export interface SinkInfo {
  readonly connector: string
  readonly uri: string
  /** Name of the in-process channel that it writes. */
  readonly channel?: string | undefined
  /** What it can take (connectors.md §1 `sink.accepts`), after its options (`changelog = 'columns'` takes everything). */
  readonly accepts: 'append' | 'upsert' | 'changelog'
  /** Key columns set by option `key`. */
  readonly key: readonly string[]
  /** `file (jsonl)`, as messages name it. */
  readonly label: string
  readonly handle: unknown
}

/** Where the value of a secret comes from: a variable, a file without its last line break, or the script itself. */
export interface SecretOrigin {
  readonly kind: 'env' | 'file' | 'value'
  readonly text: string
}

/**
 * What SQL sees of the world. Calls may read (discovery), never write, and throw `HeadraceError` without a place: the
 * binder adds where in the text.
 */
export interface Catalogue {
  source(request: SourceRequest): Promise<SourceInfo>
  sink(request: SinkRequest): Promise<SinkInfo>
  /** In-process streams of the instance (rulings 71), and `stdin`. */
  stream(name: string): Promise<SourceInfo | undefined>
  /** Environment variable for `${NAME}`; undefined when unset. */
  variable(name: string): string | undefined
  /** The value of a secret, undefined when there is none; from then on the instance prints it as `***`. */
  secret(origin: SecretOrigin): Promise<string | undefined>
  /** Registered schemes, for `kafka('…')` forms and hints. */
  readonly schemes: readonly string[]
}
