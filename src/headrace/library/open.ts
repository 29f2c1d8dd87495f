import { type NamedStream, namedStreams } from '../../channels/named-streams.ts'
import { createStream } from '../../channels/stream.ts'
import type { StreamOptions } from '../../channels/stream-core.ts'
import type { StreamSink } from '../../channels/stream-sink.ts'
import type { StreamSource } from '../../channels/stream-source.ts'
import { CHANGE } from '../../core/change.ts'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { described, type OptionNames } from '../../core/option-names.ts'
import type { Schema } from '../../core/types.ts'
import { dataDirectory } from '../durable/state-folder.ts'
import { Engine } from '../engine.ts'
import type { ScriptInput } from '../script.ts'
import type { Instance } from './create.ts'
import { misuse, refuseUnknown } from './errors.ts'
import { type ConnectorRegistry, registry as processRegistry } from './registry.ts'
import { rowOf, valuesOf } from './row-values.ts'
import type { SqlParameters } from './sql-parameters.ts'
import type { RejectedRow, SqlPipeline } from './sql-pipeline.ts'
import type { SqlProblem } from './sql-problems.ts'
import type { Row, Waiting } from './types.ts'

/** How a handle is opened. */
export interface HeadraceConfig {
  /** Where pipelines with a name keep their state; `HEADRACE_DATA_DIR`, else `.headrace`. */
  readonly dataDir?: string | undefined
  /** False: no pipeline keeps state. */
  readonly state?: boolean | undefined
  /** Relative paths of sources and sinks start here; the working directory by default. */
  readonly baseDirectory?: string | undefined
  /** Values of `${NAME}` in SQL texts. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
  readonly registry?: ConnectorRegistry | undefined
  readonly clock?: Clock | undefined
  /** Told of the first rows of each pipeline that went no further. */
  readonly onDeadLetter?: ((row: RejectedRow) => void) | undefined
  /** Told what a user of the command line is told: starts, restarts, waits. */
  readonly onNote?: ((text: string) => void) | undefined
}

const CONFIG: OptionNames<HeadraceConfig> = {
  dataDir: true,
  state: true,
  baseDirectory: true,
  environment: true,
  registry: true,
  clock: true,
  onDeadLetter: true,
  onNote: true,
}

const STAGES = ['tokens', 'ast', 'bound', 'plan', 'optimized', 'streaming', 'delivery', 'graph'] as const

/** What a text goes through on its way to rows; `delivery` is what is guaranteed between each source and sink. */
export type ExplainStage = (typeof STAGES)[number]

/** Code pushes into the source of a stream; every subscriber of its sink sees all of it. */
export interface InProcessStream<T> {
  readonly source: StreamSource<T>
  readonly sink: StreamSink<T>
}

/** How an in-process stream holds what is pushed; with `schema`, SQL reads it by its name. */
export type NamedStreamOptions = Omit<StreamOptions, 'name'>

/** Ended pipelines that are remembered. */
const ENDED_MAX = 100

/** The engine in this process: SQL, in-process streams, pipelines. */
export class Headrace implements Instance, AsyncDisposable {
  /** @internal */
  readonly engine: Engine
  readonly registry: ConnectorRegistry
  readonly #config: HeadraceConfig
  readonly #pipelines = new Map<string, SqlPipeline>()
  readonly #streams = new Map<string, InProcessStream<unknown>>()
  #count = 0
  #closing: Promise<void> | undefined

  private constructor(config: HeadraceConfig) {
    if (config === undefined) throw misuse('a handle is opened, not made', 'await Headrace.open()')
    this.#config = config
    this.registry = config.registry ?? processRegistry
    const { clock, baseDirectory, environment } = config
    this.engine = new Engine({ clock, baseDirectory, environment, connectors: this.registry })
  }

  static async open(config: HeadraceConfig = {}): Promise<Headrace> {
    refuseUnknown('Headrace.open', config, CONFIG)
    return new Headrace(config)
  }

  /**
   * Compiles a text and runs it as one pipeline. Its rows are read from what it gives; statements with a sink run at
   * once. Throws `HeadraceErrors` with all faults of the text. `signal` stops the pipeline: who reads its rows, or waits for
   * its end, gets the reason.
   */
  async sql(text: string, params: SqlParameters = {}, options: Waiting = {}): Promise<SqlPipeline> {
    refuseUnknown('sql', options, { signal: true })
    const { signal } = options
    refuseNoText(text)
    signal?.throwIfAborted()
    this.#refuseClosed()
    const { compileScript, SqlPipeline } = await loadSql()
    const { plan } = await compileScript(this.engine, await this.#script(text, params))
    this.#refuseClosed()
    signal?.throwIfAborted()
    return new SqlPipeline({
      signal,
      id: plan.name === undefined ? `query-${++this.#count}` : this.#free(plan.name),
      engine: this.engine,
      plan,
      baseDirectory: this.engine.baseDirectory,
      dataDir: this.#dataDir(),
      onDeadLetter: this.#config.onDeadLetter,
      onNote: this.#config.onNote,
      onBegin: (pipeline) => this.#pipelines.set(this.#free(pipeline.id), pipeline),
      onEnd: () => this.#forget(),
    })
  }

  /** A stage of a text: `optimized` unless told otherwise. Nothing is run. */
  async explain(
    text: string,
    form: {
      readonly stage?: ExplainStage | undefined
      readonly json?: boolean | undefined
      readonly params?: SqlParameters
    } = {},
  ): Promise<string> {
    refuseUnknown('explain', form, { stage: true, json: true, params: true })
    const { stage = 'optimized', json = false, params = {} } = form
    if (!STAGES.includes(stage))
      throw misuse(`explain: there is no stage "${String(stage)}"`, `stages: ${STAGES.join(', ')}`)
    const { explainScript } = await loadSql()
    return await explainScript(this.engine, await this.#script(text, params), { stage, json })
  }

  /** What is wrong with a text, and what is suspicious; empty when nothing is. */
  async validate(text: string, params: SqlParameters = {}): Promise<readonly SqlProblem[]> {
    refuseNoText(text)
    const { compileScript, sqlProblems } = await loadSql()
    try {
      const { warnings } = await compileScript(this.engine, await this.#script(text, params))
      return warnings.flatMap(sqlProblems)
    } catch (error) {
      return sqlProblems(error)
    }
  }

  /**
   * The in-process stream of a name, made when it is first asked for. One with a schema takes rows, and SQL reads it by
   * its name.
   */
  stream<T = Row>(name: string, options: NamedStreamOptions = {}): InProcessStream<T> {
    this.#refuseClosed()
    if (typeof name !== 'string' || name === '')
      throw misuse(`a stream has a name, not ${described(name)}`, "stream('clicks')")
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      const { clock, shared } = this.engine
      stream = createStream<unknown>({ clock, ...options, name })
      this.#streams.set(name, stream)
      const { schema } = options
      if (schema !== undefined) namedStreams(shared).set(name, { ...stream, schema, ...rowForms(schema) })
    }
    return stream as InProcessStream<T>
  }

  /** Those that run, and the last ones that have ended. */
  pipelines(): readonly SqlPipeline[] {
    return [...this.#pipelines.values()]
  }

  pipeline(id: string): SqlPipeline {
    const pipeline = this.#pipelines.get(id)
    if (pipeline !== undefined) return pipeline
    throw new HeadraceError('sql_job_not_found', `no pipeline has the id "${id}"`, {
      hint: `pipelines: ${[...this.#pipelines.keys()].join(', ') || 'none'}`,
    })
  }

  /** The same as `pipelines`. */
  jobs(): readonly SqlPipeline[] {
    return this.pipelines()
  }

  /** The same as `pipeline`. */
  job(id: string): SqlPipeline {
    return this.pipeline(id)
  }

  /** A checkpoint of one pipeline, committed everywhere: its id. Without a name, of the only one that keeps state. */
  async checkpoint(id?: string): Promise<bigint> {
    if (id !== undefined) return await this.pipeline(id).checkpoint()
    const kept = this.pipelines().filter((pipeline) => pipeline.isRunning && pipeline.keepsState)
    if (kept.length === 1) return await kept[0]!.checkpoint()
    const names = kept.map((pipeline) => pipeline.id).join(', ')
    throw new HeadraceError(
      'checkpoint_disabled',
      kept.length === 0 ? 'no pipeline that runs keeps state' : 'several pipelines keep state',
      { hint: kept.length === 0 ? 'name it: -- @name orders' : `name one of them: ${names}` },
    )
  }

  /** The schema registry of this process: not built yet, and says so. */
  get schemas(): never {
    throw notBuilt('schemas', 'the schema registry')
  }

  /** The data-streams service of this process: not built yet, and says so. */
  get streams(): never {
    throw notBuilt('streams', 'the data-streams service')
  }

  /**
   * Ends everything: sources first, then operators and sinks. Pipelines are stopped, those with state behind a last
   * checkpoint; `drain` lets those that end by themselves read their input to its end.
   */
  async close(options: { readonly drain?: boolean | undefined } = {}): Promise<void> {
    refuseUnknown('close', options, { drain: true })
    this.#closing ??= this.#close(options.drain ?? false)
    await this.#closing
  }

  async #close(drain: boolean): Promise<void> {
    for (const { source } of this.#streams.values()) await source.close()
    const running = this.pipelines().filter((pipeline) => pipeline.isRunning)
    await Promise.all(
      running.map(async (pipeline) => {
        if (drain && pipeline.ends) await pipeline.done().catch(() => undefined)
        else await pipeline.stop()
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined)
      throw new HeadraceError('library_usage', 'the handle is closed', { hint: 'open another' })
  }

  #dataDir(): string | undefined {
    if (this.#config.state === false) return undefined
    return dataDirectory(this.#config.dataDir, this.engine.environment, this.engine.baseDirectory)
  }

  async #script(text: string, params: SqlParameters): Promise<ScriptInput> {
    refuseNoText(text)
    if (typeof params !== 'object' || params === null) {
      throw misuse(`parameters are an object or an array, not ${described(params)}`, "sql('SELECT :n', { n: 1 })")
    }
    const { sqlParameters } = await loadSql()
    const { baseDirectory } = this.engine
    return { file: '<sql>', text, baseDirectory, name: undefined, parameters: sqlParameters(params) }
  }

  /** The name, when no running pipeline has it. */
  #free(name: string): string {
    if (this.#pipelines.get(name)?.isRunning !== true) return name
    throw new HeadraceError('library_usage', `the pipeline "${name}" is running already`, {
      hint: 'stop it first, or give the other one another name',
    })
  }

  #forget(): void {
    const ended = this.pipelines().filter((pipeline) => pipeline.hasEnded)
    for (const { id } of ended.slice(0, Math.max(0, ended.length - ENDED_MAX))) this.#pipelines.delete(id)
  }
}

const notBuilt = (member: string, what: string): HeadraceError =>
  new HeadraceError('not_implemented', `${member}: ${what} is not built yet`, {
    hint: 'the table in README.md says what is built',
  })

function refuseNoText(text: unknown): void {
  if (typeof text !== 'string') throw misuse(`SQL is a text, not ${described(text)}`, "sql('SELECT 1')")
}

const rowForms = (schema: Schema): Pick<NamedStream, 'toRow' | 'ofRow'> => ({
  toRow: (value) => ({ values: valuesOf(value as Row, schema), change: CHANGE.insert }),
  ofRow: ({ values }) => rowOf(schema, values),
})

/** The SQL engine is loaded by the first text: programs that only move records never need it. */
async function loadSql() {
  const [script, pipeline, problems, parameters] = await Promise.all([
    import('../script.ts'),
    import('./sql-pipeline.ts'),
    import('./sql-problems.ts'),
    import('./sql-parameters.ts'),
  ])
  return { ...script, ...pipeline, ...problems, ...parameters }
}
