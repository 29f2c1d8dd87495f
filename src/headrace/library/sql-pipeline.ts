import { HeadraceError } from '../../core/errors.ts'
import { field, type Schema, types } from '../../core/types.ts'
import type { ScriptPlan } from '../../sql/plan.ts'
import { DeadLetters } from '../dead-letters.ts'
import type { Engine } from '../engine.ts'
import { keepsState } from '../keeps-state.ts'
import type { RunControl, RunStatus } from '../run-control.ts'
import type { Digest, Progress } from '../run-digest.ts'
import { runPipeline, type SupervisedInput } from '../supervise.ts'
import { RowQueue } from './row-queue.ts'
import type { Row } from './types.ts'

/** What a pipeline says of itself. */
export interface PipelineStatus {
  readonly id: string
  /** `ready`: a query whose rows nobody has asked for yet. */
  readonly state: 'ready' | 'running' | 'paused' | 'stopping' | 'completed' | 'stopped' | 'failed'
  readonly rowsIn: number
  readonly rowsOut: number
  readonly lateRows: number
  readonly deadLetters: number
  /** Of a pipeline that keeps its progress. */
  readonly checkpoint?: { readonly id: string; readonly epoch: string; readonly ageMs: number | null } | undefined
  /** What each side waits for, of a pipeline that keeps its progress. */
  readonly waits: readonly PipelineWait[]
  readonly error?: Error | undefined
}

/** `who` waits, why, and since when. */
export interface PipelineWait {
  readonly who: string
  readonly cause: string
  readonly detail: string
  readonly sinceMs: number
}

/** What a pipeline did. */
export interface PipelineResult {
  /** False when it was stopped before the end of its input. */
  readonly complete: boolean
  readonly rowsIn: number
  readonly rowsOut: readonly { readonly target: string; readonly rows: number }[]
  readonly lateRows: number
  /** Rows that went no further, by code. */
  readonly rejected: ReadonlyMap<string, number>
  readonly elapsedMs: number
}

/** A row that went no further, as the handle's `onDeadLetter` is told. */
export interface RejectedRow {
  readonly code: string
  readonly detail: string
  readonly stage: 'decode' | 'expression' | 'window' | 'sink'
  /** Where it came from, as printed. */
  readonly source: string
  /** The original bytes, or the row as JSON where they are gone. */
  readonly value: Uint8Array
}

export interface SqlPipelineForm {
  readonly id: string
  readonly engine: Engine
  readonly plan: ScriptPlan
  readonly baseDirectory: string
  /** Stops it; its reason is what those get who wait. */
  readonly signal: AbortSignal | undefined
  /** Undefined: nothing is kept. */
  readonly dataDir: string | undefined
  readonly onDeadLetter: ((row: RejectedRow) => void) | undefined
  readonly onNote: ((text: string) => void) | undefined
  onBegin(pipeline: SqlPipeline): void
  onEnd(): void
}

/**
 * What `sql` gives: a running pipeline. One with a query has rows, which are read once; it begins when the first is
 * asked for. One that only writes to sinks runs already.
 */
export class SqlPipeline implements AsyncIterable<Row>, AsyncDisposable {
  readonly id: string
  readonly kind: 'query' | 'pipeline'
  /** Columns of the query; undefined of a pipeline that writes to sinks. */
  readonly schema: Schema | undefined
  readonly #form: SqlPipelineForm
  readonly #texts: readonly string[]
  readonly #stop = new AbortController()
  readonly #queue = new RowQueue()
  #task: Promise<PipelineResult> | undefined
  #control: RunControl | undefined
  #controlled = Promise.withResolvers<void>()
  #hold: (<T>(task: () => Promise<T>) => Promise<T>) | undefined
  #pause: { readonly over: () => void } | undefined
  #progress: Progress = { rowsIn: 0, rowsOut: 0, lateRows: 0, deadLetters: 0 }
  #result: PipelineResult | undefined
  #error: Error | undefined
  #read = false

  /** @internal */
  constructor(form: SqlPipelineForm) {
    const { plan, id } = form
    this.#form = form
    this.id = id
    const queries = plan.outputs.filter(({ targets }) => targets.includes('client'))
    if (queries.length > 1) {
      throw new HeadraceError(
        'not_implemented',
        `the text has ${queries.length} queries: one call gives the rows of one`,
        {
          hint: 'call sql() for each of them, or write them to sinks with INSERT INTO',
        },
      )
    }
    this.#texts = plan.texts
    const isText = plan.outputs.length === 0 && plan.texts.length > 0
    const root = queries[0]?.root
    this.kind = root !== undefined || isText ? 'query' : 'pipeline'
    if (root !== undefined) this.schema = schemaOfRows(root.schema, root.traits.changes !== 'append')
    else this.schema = isText ? { fields: [field('text', types.string, false)] } : undefined
    if (this.kind === 'pipeline') void this.#start()
  }

  /** @internal */
  get isRunning(): boolean {
    return this.#task !== undefined && this.#result === undefined && this.#error === undefined
  }

  /** @internal */
  get hasEnded(): boolean {
    return this.#result !== undefined || this.#error !== undefined
  }

  /** @internal Its input ends, and nobody has to read its rows. */
  get ends(): boolean {
    return this.kind === 'pipeline' && this.#form.plan.outputs.every(({ root }) => root.traits.bounded)
  }

  /** @internal */
  get keepsState(): boolean {
    return this.#form.dataDir !== undefined && keepsState(this.#form.plan)
  }

  /** All rows. An endless query never gives them. */
  async all(): Promise<Row[]> {
    const rows: Row[] = []
    for await (const row of this) rows.push(row)
    return rows
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Row> {
    if (this.kind === 'pipeline') {
      throw new HeadraceError('library_usage', `"${this.id}" writes to sinks: it has no rows to read`, {
        hint: 'done() tells what it did; a SELECT without INSERT INTO has rows',
      })
    }
    if (this.#read) {
      throw new HeadraceError('library_usage', `the rows of "${this.id}" were read already`, {
        hint: 'call sql() again',
      })
    }
    this.#read = true
    for (const text of this.#texts) yield { text }
    if (this.#form.plan.outputs.length === 0) return
    const task = this.#start()
    try {
      for (let rows = await this.#queue.next(); rows !== undefined; rows = await this.#queue.next()) yield* rows
      await task
    } finally {
      // Whoever breaks off wants no more.
      this.#stop.abort()
      this.#queue.end()
      await task.catch(() => undefined)
    }
  }

  /** Resolves when it has ended, with what it did; rejects with what it failed of. */
  done(): Promise<PipelineResult> {
    if (this.kind === 'query' && !this.#read) {
      const error = new HeadraceError('library_usage', `nobody has asked for the rows of "${this.id}" yet`, {
        hint: 'read them: for await (const row of query), or query.all()',
      })
      return Promise.reject(error)
    }
    return this.#start()
  }

  status(): PipelineStatus {
    const control = this.#control
    const run = control?.status()
    const { rowsIn, rowsOut, lateRows, deadLetters } = this.#progress
    return {
      id: this.id,
      state: this.#state(run),
      rowsIn: run?.rows_in ?? rowsIn,
      rowsOut: run === undefined ? rowsOut : run.rows_out.reduce((sum, { rows }) => sum + rows, 0),
      lateRows: run?.late_rows ?? lateRows,
      deadLetters,
      ...(run === undefined
        ? {}
        : { checkpoint: { id: run.checkpoint.id, epoch: run.checkpoint.epoch, ageMs: run.checkpoint.age_ms } }),
      waits: (run?.waits ?? []).map(({ who, cause, detail, since_ms: sinceMs }) => ({ who, cause, detail, sinceMs })),
      ...(this.#error === undefined ? {} : { error: this.#error }),
    }
  }

  #state(run: RunStatus | undefined): PipelineStatus['state'] {
    if (this.#error !== undefined) return 'failed'
    if (this.#result !== undefined) return this.#result.complete ? 'completed' : 'stopped'
    if (this.#task === undefined) return 'ready'
    if (this.#stop.signal.aborted) return 'stopping'
    return run?.state ?? (this.#pause === undefined ? 'running' : 'paused')
  }

  /** Ends it: with its state, behind a last checkpoint. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.#resume()
    // A query that waits for its reader is not read on.
    this.#queue.end()
    await this.#task?.catch(() => undefined)
  }

  /** Nothing is read until `resume`; with its state, resolves when a checkpoint holds what was. */
  async pause(): Promise<void> {
    await this.#begun()
    if (this.#control !== undefined) return await this.#control.pause()
    const hold = this.#hold
    if (hold === undefined || this.#pause !== undefined) return
    const held = Promise.withResolvers<void>()
    const over = Promise.withResolvers<void>()
    this.#pause = { over: over.resolve }
    const task = hold(() => {
      held.resolve()
      return over.promise
    })
    await Promise.race([held.promise, task])
  }

  async resume(): Promise<void> {
    this.#resume()
  }

  #resume(): void {
    this.#control?.resume()
    this.#pause?.over()
    this.#pause = undefined
  }

  /** A checkpoint that is committed everywhere; its id. */
  async checkpoint(): Promise<bigint> {
    if (!this.keepsState) {
      throw new HeadraceError('checkpoint_disabled', `"${this.id}" keeps no state`, {
        hint: 'a pipeline with a name (-- @name orders) that writes to something that lasts keeps it',
      })
    }
    await this.#begun()
    const control = this.#control
    if (control === undefined) throw this.#error ?? new HeadraceError('checkpoint_disabled', `"${this.id}" has ended`)
    return (await control.checkpoint()).id
  }

  /** Waits until it can be talked to, or has ended. */
  async #begun(): Promise<void> {
    if (this.#task === undefined) return
    await Promise.race([this.#controlled.promise, this.#task.catch(() => undefined)])
  }

  #start(): Promise<PipelineResult> {
    if (this.#task === undefined) {
      this.#form.onBegin(this)
      this.#task = this.#run()
    }
    return this.#task
  }

  #run(): Promise<PipelineResult> {
    const { engine, plan } = this.#form
    const { signal } = this.#form
    const abort = (): void => {
      this.stop().catch(() => undefined)
    }
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted === true) abort()
    const run = async (): Promise<PipelineResult> => {
      try {
        if (plan.outputs.length === 0) this.#result = NOTHING
        else this.#result = resultOf(await runPipeline(engine, this.#input(), this.#stop.signal))
        signal?.throwIfAborted()
        return this.#result
      } catch (error) {
        // A stop that was asked for is no failure.
        if (this.#result === undefined) this.#error = error instanceof Error ? error : new Error(String(error))
        throw error
      } finally {
        signal?.removeEventListener('abort', abort)
        this.#control = undefined
        this.#controlled.resolve()
        this.#queue.end()
        this.#form.onEnd()
      }
    }
    const task = run()
    // Told by `status`, and to whoever waits.
    task.catch(() => undefined)
    return task
  }

  #input(): SupervisedInput {
    const { plan, baseDirectory, dataDir, onDeadLetter, onNote } = this.#form
    const note = (text: string): void => onNote?.(`${this.id}: ${text}`)
    return {
      plan,
      baseDirectory,
      deadLetters: new DeadLetters((letter) => onDeadLetter?.(letter)),
      client: (schema, form) => this.#queue.sink(schema, form),
      onProgress: (progress) => {
        this.#progress = progress
      },
      onHold: (hold) => {
        this.#hold = hold
        this.#controlled.resolve()
      },
      durable:
        dataDir === undefined || plan.name === undefined
          ? undefined
          : {
              at: { dataDir, script: undefined },
              allowDroppedState: false,
              takeover: false,
              onControl: (control) => {
                this.#control = control
                if (control !== undefined) this.#controlled.resolve()
              },
            },
      onStart: (notes) => notes.forEach(note),
      onRestart: (error, delayMs) => note(`${error.message} [${error.code}]; again in ${Math.round(delayMs)} ms`),
      onWarning: (error) => note(error.message),
      onNote: note,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

const NOTHING: PipelineResult = {
  complete: true,
  rowsIn: 0,
  rowsOut: [],
  lateRows: 0,
  rejected: new Map(),
  elapsedMs: 0,
}

/** A changelog tells what each row is. */
const schemaOfRows = ({ fields }: Schema, changes: boolean): Schema =>
  changes ? { fields: [field('_op', types.string, false), ...fields] } : { fields }

const resultOf = ({ complete, rowsIn, rowsOut, lateRows, rejected, elapsedMs }: Digest): PipelineResult => ({
  complete,
  rowsIn,
  rowsOut: rowsOut.map(({ target, rows }) => ({ target, rows })),
  lateRows,
  rejected: new Map(rejected),
  elapsedMs,
})
