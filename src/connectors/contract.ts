import type { Batch } from '../core/batch.ts'
import type { Clock } from '../core/clock.ts'
import type { WorkerMemory } from '../core/memory.ts'
import type { OptionSpec, Side } from '../core/option-types.ts'
import type { OptionValues } from '../core/options.ts'
import type { DataType, Schema } from '../core/types.ts'
import type { Uri } from '../core/uri.ts'
import type { Value } from '../core/values.ts'
import type { Decoder, Reject } from '../formats/decoder.ts'
import type { Encoder } from '../formats/encoder.ts'
import type { Kernels } from '../kernels/kernels.ts'

/** Opaque to the runtime, at most 4096 bytes; means *read from here next*. Begins with a kind-and-version tag. */
export type Offset = string

export type SourceItem =
  /** At least one row or one reject; `next` names what follows them. The batch is valid until the reader is advanced. */
  | {
      readonly kind: 'batch'
      readonly batch: Batch | undefined
      readonly next: Offset
      readonly rejects?: readonly Reject[] | undefined
    }
  /** No rows: the source has proved that there is nothing to read now, or its position moved. */
  | { readonly kind: 'idle'; readonly next: Offset }

export interface Split {
  /** Stable across restarts. */
  readonly id: string
  /** Splits that must end first. */
  readonly after?: readonly string[] | undefined
  readonly rowsEstimate?: bigint | undefined
}

export type SplitEvent =
  | { readonly kind: 'added'; readonly split: Split }
  | { readonly kind: 'removed'; readonly id: string }
  /** Bounded source: no split will follow. */
  | { readonly kind: 'complete' }

/**
 * An open source. One call at a time per object, except `health`, `lag` and `ack`. It holds no retry, no sleep, no
 * metric and no queue beyond its limits: an exception means it cannot go on, its class says whether a retry can help.
 */
export interface Source extends AsyncDisposable {
  /** Identity of the upstream log, compared on resume. */
  incarnation(): Promise<string>
  /** Ends within 1 s of `signal` and releases what it holds. */
  splits(signal: AbortSignal): AsyncIterable<SplitEvent>
  open(splitId: string): SplitReader
  /** At a barrier: what a reopened source needs beside the offsets of its splits (the files it found, say). */
  state?(): Uint8Array | undefined
  /** Only after the epoch that holds the offsets is committed everywhere; never goes backwards, may repeat. */
  ack?(upTo: ReadonlyMap<string, Offset>): Promise<void>
  lag?(
    splitId: string,
    at: Offset,
  ): Promise<{ readonly records?: bigint; readonly bytes?: bigint; readonly ms?: number }>
  health(): Promise<Health>
}

/** Two readers never share a split; items come in order. */
export interface SplitReader extends AsyncDisposable {
  /** From a stored position, or where the start option says. Ends within 1 s of `signal`; an item is whole or absent. */
  read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem>
}

/** A row that the target refused. */
export interface SinkReject {
  readonly row: number
  readonly code: string
  readonly detail: string
}

/**
 * With checkpoints a sink lives through `ledger`, `commit` where needed, `restore`; then `write` … `prepare`, `commit` for
 * every epoch. Without, through `write` …, `flush`, `seal`, `finish`.
 */
export interface Sink extends AsyncDisposable {
  /** The target is put in its place by the last epoch, as a whole: nothing can be added to it then. */
  readonly replaces?: true | undefined
  /**
   * Has taken what it needs of the batch when the promise settles. Rows of one key leave in this order. It may be called
   * while `prepare` or `commit` of an earlier epoch is pending: the rows belong to the next epoch. A sink that cannot
   * hold two epochs lets the call wait.
   */
  write(batch: Batch): Promise<readonly SinkReject[]>
  /** When it resolves, everything written is as durable as the target can make it. */
  flush(): Promise<readonly SinkReject[]>
  /**
   * All rows since the previous barrier become durable and ready to commit, and stay invisible where the target can hide
   * them; the token is at most 1 MiB. The border of the epoch is where the call is made, before its first wait. `last`:
   * all input was read to its end, no row will follow.
   */
  prepare?(epoch: bigint, form: { readonly last: boolean }): Promise<Uint8Array>
  /**
   * Makes exactly those rows visible once; may be repeated by any process after any failure. What cannot be told apart
   * throws `connector_commit_ambiguous`.
   */
  commit?(
    epoch: bigint,
    token: Uint8Array,
    replay: () => AsyncIterable<Batch>,
    /** Where the sink leads: committed in the same transaction, and given back by `ledger`. */
    offsets?: LedOffsets,
  ): Promise<readonly SinkReject[]>
  /** Removes staging; tolerates its absence. */
  abort?(epoch: bigint, token?: Uint8Array): Promise<void>
  /** A fencing read (rulings 17, 77): writes the own incarnation under the target's lock, returns what it holds. */
  ledger?(incarnation: bigint): Promise<SinkLedger | undefined>
  /**
   * Once, after a start, when `epoch` is committed and before the first `write`: whatever this pipeline's earlier
   * instances staged or wrote beyond `epoch` is removed, and writing goes on behind it. `token` is that of `epoch`;
   * undefined when none was ever committed (epoch 0), and where the sink leads and holds more than any snapshot.
   */
  restore?(epoch: bigint, token: Uint8Array | undefined): Promise<void>
  /** Behind the last commit: nobody will go on from here. What only a later start needs, such as a ledger, is removed. */
  forget?(): Promise<void>
  /**
   * Brings what a run without checkpoints wrote to where only publishing is left, and fails where that cannot work.
   * Called once, after the last `flush`, on all sinks of a run before any is told to `finish`.
   */
  seal?(): Promise<void>
  /**
   * Ends a run without checkpoints that did not fail; called once, after `seal`. `complete`: all input was read to its
   * end; else the run was stopped. False when nothing was published: the target is as it was before the run.
   */
  finish?(complete: boolean): Promise<boolean>
  health(): Promise<Health>
}

/** By source and split: the offset behind the last row, and how many rows came (rulings 18). */
export type LedOffsets = ReadonlyMap<string, { readonly offset: Offset; readonly rows: bigint }>

export interface SinkLedger {
  /** The last epoch that the target is known to hold; 0 before the first. */
  readonly epoch: bigint
  readonly incarnation: bigint
  /**
   * A later epoch whose publication began and is not known to have ended. Without a usable snapshot of it nobody can
   * tell what the target holds: the pipeline is blocked (rulings 15).
   */
  readonly begun?: bigint | undefined
  /** What was committed with the rows of `epoch`, where the sink leads. */
  readonly offsets?: LedOffsets | undefined
  /** Rows that it has taken in all, where the sink leads. */
  readonly rows?: bigint | undefined
}

export interface Health {
  readonly state: 'healthy' | 'degraded' | 'unhealthy' | 'unknown'
  readonly issues: readonly { readonly code: string; readonly detail: string }[]
}

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
  readonly hint?: string | undefined
  readonly ms: number
}

/** Planner and conformance suite read the same values. */
export interface Capabilities {
  readonly source?:
    | {
        readonly resume: 'none' | 'offset'
        readonly retention: 'kept' | 'until-ack'
        readonly order: 'none' | 'split' | 'total'
        readonly changes: 'append' | 'changelog'
        readonly bounded: 'always' | 'never' | 'by-option'
        readonly pushdown: 'none' | 'columns' | 'columns+filter'
        /** Its splits are found by looking: what was found is kept beside the offsets (`Source.state`). */
        readonly listed?: boolean | undefined
      }
    | undefined
  readonly sink?:
    | {
        readonly delivery: 'at-most-once' | 'at-least-once' | 'idempotent' | 'transactional'
        readonly stage: 'none' | 'native' | 'spool'
        readonly ledger: 'none' | 'epoch' | 'offsets'
        readonly accepts: 'append' | 'upsert' | 'changelog'
      }
    | undefined
}

/** What a connector is opened with. */
export interface ConnectorContext {
  readonly uri: Uri
  readonly options: OptionValues
  readonly pipeline: string | undefined
  /** Name of the source or sink in its pipeline, fit for a file name; the same in every run of the same plan. */
  readonly part: string
  readonly writer: number
  /** Grows with every start of the pipeline; 0 without checkpoints. */
  readonly incarnation: bigint
  /** 8 hex digits drawn at the pipeline's first start (rulings 8); undefined without checkpoints. */
  readonly lineage: string | undefined
  readonly clock: Clock
  readonly memory: WorkerMemory
  readonly kernels: Kernels
  /** Relative paths start here: the folder of the script, else the working directory. */
  readonly baseDirectory: string
  /** The instance's in-process rings (memory://, channel://). */
  readonly shared: SharedState
  /** Aborts what waits before rows flow: `discover` and `probe` then throw its reason and release what they hold. */
  readonly signal?: AbortSignal | undefined
}

/** State that connectors of one instance share, by connector name; made on first use. */
export interface SharedState {
  get<T>(key: string, create: () => T): T
}

export interface SourceContext extends ConnectorContext {
  /** The wanted columns of the source, in order, then the system columns; the batches have this schema. */
  readonly schema: Schema
  readonly columns: readonly WantedColumn[]
  readonly systemColumns: readonly string[]
  readonly batchRows: number
  /** What `Source.state` of the run that is taken up gave. */
  readonly state?: Uint8Array | undefined
  /** That run had read everything: ends that were fixed then are fixed again, as they are now. */
  readonly again?: boolean | undefined
  /** A decoder for one split of this source's bytes, made for the format of the options (or detected). */
  decoder(split: string, format: string): Decoder
}

export interface WantedColumn {
  readonly name: string
  readonly path: readonly string[]
  readonly required: boolean
}

export interface SinkContext extends ConnectorContext {
  readonly schema: Schema
  /** True when the rows are a changelog and the target gets `_op`. */
  readonly changes: boolean
  readonly bounded: boolean
  /** Position of the rows' event time, for time parts of paths. */
  readonly eventTime: number | undefined
  encoder(format: string): Encoder
  /** A value that is not NULL as people read it (PostgreSQL text form). */
  valueText(value: Exclude<Value, null>, type: DataType): string
  /** Positions of the key columns. */
  readonly key: readonly number[]
}

/** What discovery found (connectors.md §4). */
export interface Discovered {
  readonly columns: readonly {
    readonly name: string
    readonly type: DataType
    readonly nullable: boolean
    readonly origin: 'declared' | 'catalogue' | 'registry' | 'sampled'
    readonly nullShare: number
    readonly examples: readonly string[]
    readonly confidence: number
    /** The sample held values of several kinds: the column takes any value as text. */
    readonly mixed?: boolean | undefined
  }[]
  readonly key: readonly string[]
  readonly eventTimeCandidates: readonly string[]
  readonly rowsSeen: number
  readonly bytesSeen: number
  readonly warnings: readonly string[]
  readonly format: string | undefined
  /** The sample ended before the input: values that come later may not fit the columns. */
  readonly sampleCut?: boolean | undefined
}

export interface ChannelFacts {
  /** The same for all URIs that name the channel. */
  readonly name: string
  /** True when a writer has opened it for a changelog: its rows carry `-U +U -D`. */
  readonly revises: boolean
}

/** What a sink promises with its options, for the planner. */
export interface SinkFacts {
  readonly delivery: NonNullable<Capabilities['sink']>['delivery']
  /** The mechanism: `staged files, published at commit by link`. */
  readonly how: string
  /** What keeps it from more, naming the option; and the option that removes it. */
  readonly weakenedBy?: string | undefined
  readonly raiseBy?: string | undefined
  /** Without checkpoints nothing can be seen before the end. */
  readonly staged?: boolean | undefined
}

/** A connector is one value; a folder under `connectors/` holds it. */
export interface Connector {
  readonly name: string
  readonly schemes: readonly string[]
  /** One line for `headrace connectors`. */
  readonly summary: string
  readonly options: OptionSpec
  readonly capabilities: Capabilities
  /** The in-process channel that a URI names: one script cannot both write and read it. */
  channel?(uri: Uri, shared: SharedState): ChannelFacts
  /** Where what a sink promises depends on target or options; else `capabilities.sink` says it. */
  sinkFacts?(
    uri: Uri,
    options: OptionValues,
    form: { readonly bounded: boolean; readonly baseDirectory: string },
  ): SinkFacts
  /** True when a source with these options ends. */
  bounded?(options: OptionValues): boolean
  /** What a source with these options gives, where `capabilities.source.changes` says what it can. */
  changes?(options: OptionValues): 'append' | 'changelog'
  /** The column that is the event time where the option `event_time` names none and there is such a column. */
  readonly eventTime?: string | undefined
  /** Key columns of its changelog. */
  key?(options: OptionValues): readonly string[]
  /** Reads, changes nothing, ends within `sample_timeout`. */
  discover?(context: ConnectorContext): Promise<Discovered>
  /** Ends within 5 s, changes nothing. */
  probe?(context: ConnectorContext, side: Side): Promise<readonly Check[]>
  openSource?(context: SourceContext): Promise<Source>
  openSink?(context: SinkContext): Promise<Sink>
}
