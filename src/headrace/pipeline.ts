import type { Sink, SinkReject } from '../connectors/contract.ts'
import { type Batch, ordinalOf, recordOf } from '../core/batch.ts'
import { adds } from '../core/change.ts'
import { valueAt } from '../core/column-read.ts'
import { HeadraceError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { BatchBuilder } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import { jsonOfValue } from '../expr/value-json.ts'
import type { Reject } from '../formats/decoder.ts'
import type { OperatorContext, RowError } from '../operators/operator.ts'
import { drive, type OpenSource } from '../runtime/drive/drive.ts'
import { buildGraph, type Graph } from '../runtime/graph/build.ts'
import { SinkStage } from '../runtime/graph/sink-stage.ts'
import type { Receiver } from '../runtime/graph/stage.ts'
import type { Output, ScriptPlan, SinkTarget, SourceNode } from '../sql/plan.ts'
import { type DeadLetter, type DeadLetters, deadLetterRow, deadLetterSchema, type RowPolicy } from './dead-letters.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'
import { type OpenPlace, openSink, openSource, PartNames, type SinkForm } from './open.ts'
import { publish } from './publish.ts'

export interface PipelineInput {
  readonly plan: ScriptPlan
  readonly baseDirectory: string
  readonly deadLetters: DeadLetters
  /** Where the rows of queries without INTO go; called once per such output. */
  readonly client: (schema: Schema, form: { readonly changes: boolean }) => Promise<Sink> | Sink
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** `file:line:column` of a span of the script, for row errors. */
  readonly sqlPosition?: ((span: { readonly start: number; readonly end: number }) => string) | undefined
}

export interface Progress {
  readonly rowsIn: number
  readonly lateRows: number
  readonly deadLetters: number
}

/** What a run did. */
export interface Digest {
  /** False when it was stopped before the end of its input. */
  readonly complete: boolean
  readonly rowsIn: number
  /** Batches that the rows came in. */
  readonly batchesIn: number
  /** By target; `published` is false where a stopped run left the target as it was. */
  readonly rowsOut: readonly { readonly target: string; readonly rows: number; readonly published: boolean }[]
  readonly lateRows: number
  /** Rows that were dead-lettered, skipped or printed, by code. */
  readonly rejected: ReadonlyMap<string, number>
  /** Sources with records that did not fit columns told from a sample that ended before them. */
  readonly misfits: readonly string[]
  readonly elapsedMs: number
}

/** Runs one plan from its sources to its sinks, without checkpoints (rulings 66, 68). */
export class Pipeline {
  readonly #engine: Engine
  readonly #input: PipelineInput
  readonly #context: OperatorContext
  readonly #sinks: SinkStage[] = []
  /** Sinks by what they were opened with: statements that write the same target share its sink. */
  readonly #targets = new Map<string, SinkStage>()
  readonly #sources: OpenSource[] = []
  readonly #graph: Graph
  readonly #parts = new PartNames()
  readonly #place: OpenPlace
  #writers = 0
  readonly #misfits = new Set<string>()
  /** Whose rows are in the graph. */
  #source: SourceNode | undefined
  readonly #exprPolicy: 'dlq' | 'null' | 'fail'
  #queue: { readonly sink: Sink; readonly builder: BatchBuilder } | undefined

  constructor(engine: Engine, input: PipelineInput) {
    this.#engine = engine
    this.#input = input
    this.#place = { engine, plan: input.plan, baseDirectory: input.baseDirectory, durable: undefined }
    this.#exprPolicy = exprPolicy(input.plan)
    const onNull = this.#exprPolicy === 'null' ? 'null' : 'drop'
    this.#context = engine.operatorContext((error) => this.#onRowError(error), onNull)
    this.#graph = buildGraph(input.plan, this.#context)
  }

  async run(signal: AbortSignal): Promise<Digest> {
    const started = this.#engine.clock.elapsedMs()
    try {
      await this.#openQueue()
      for (const output of this.#input.plan.outputs) await this.#openOutput(output)
      for (const { stage, node, schema } of this.#graph.late) {
        const form = { changes: false, key: [], bounded: node.traits.bounded, eventTime: undefined }
        stage.connectLate(node.late === 'dlq' ? this.#lateLetters() : await this.#openTarget(node.late!, schema, form))
      }
      for (const origin of this.#graph.origins) {
        if (origin.node.kind !== 'source') continue
        const { node } = origin
        const maxRecords = (node.info.handle as Endpoint).options['max_records'] as number | undefined
        this.#sources.push({ origin, node, source: await openSource(this.#place, node, undefined), maxRecords })
      }
      const complete = await this.#drive(signal)
      await this.#writeDeadLetters()
      await publish(this.#sinks, { queue: this.#queue?.sink, complete })
      return this.#digest(complete, this.#engine.clock.elapsedMs() - started)
    } catch (error) {
      throw this.#engine.secrets.redactError(error)
    } finally {
      await this.#queue?.sink[Symbol.asyncDispose]()
      this.#queue?.builder[Symbol.dispose]()
      for (const { sink } of this.#sinks) await sink[Symbol.asyncDispose]()
      for (const { source } of this.#sources) await source[Symbol.asyncDispose]()
      for (const stage of this.#graph.stages) stage.operator[Symbol.dispose]()
      this.#context.scratch[Symbol.dispose]()
    }
  }

  #drive(signal: AbortSignal): Promise<boolean> {
    const { onProgress } = this.#input
    return drive(
      {
        graph: this.#graph,
        sources: this.#sources,
        context: this.#context,
        clock: this.#engine.clock,
        onReject: (reject, source, split) => this.#onReject(reject, source, split),
        beforeStep: (source) => {
          this.#source = source
        },
        afterStep: () => this.#writeDeadLetters(),
        onProgress: onProgress === undefined ? undefined : () => onProgress(this.#progress()),
      },
      signal,
    )
  }

  #onReject(reject: Reject, node: SourceNode, split: string): void {
    const { options, sampleCut } = node.info.handle as Endpoint
    const { code, detail, ordinal, byte, bytes } = reject
    if (sampleCut === true && code === 'connector_record_invalid') this.#misfits.add(node.info.uri)
    this.#input.deadLetters.add(
      {
        code,
        detail,
        stage: 'decode',
        source: node.info.uri,
        split: this.#engine.secrets.redact(split),
        ordinal,
        byte,
        value: bytes,
        encoding: 'raw',
        sqlPosition: undefined,
      },
      (options['on_error'] as RowPolicy | undefined) ?? 'dlq',
    )
  }

  /** `dlq.location`: where all dead letters go, as rows of five parts. */
  async #openQueue(): Promise<void> {
    const location = this.#input.plan.settings.get('dlq.location')
    if (location === undefined) return
    const handle = await endpoint(location, 'sink')
    const form = { changes: false, key: [], bounded: true, eventTime: undefined }
    const sink = await this.#open(handle, deadLetterSchema, { name: 'dlq', uri: handle.printed }, form)
    const builder = new BatchBuilder(deadLetterSchema, limits.batchRows, this.#engine.memory)
    this.#queue = { sink, builder }
    this.#input.deadLetters.queued = true
  }

  async #writeDeadLetters(): Promise<void> {
    if (this.#queue === undefined) return
    const letters = this.#input.deadLetters.take()
    const { sink, builder } = this.#queue
    for (let from = 0; from < letters.length; from += builder.capacity) {
      builder.reset()
      const run = { pipeline: this.#input.plan.name, nowMicros: this.#context.current.nowMicros }
      for (const letter of letters.slice(from, from + builder.capacity)) builder.append(deadLetterRow(letter, run))
      await sink.write(builder.finish())
    }
  }

  #progress(): Progress {
    return {
      rowsIn: this.#rowsIn(),
      lateRows: this.#context.counters.lateRows,
      deadLetters: this.#input.deadLetters.count,
    }
  }

  #rowsIn(): number {
    return this.#graph.origins.reduce((rows, origin) => rows + origin.rows, 0)
  }

  async #openOutput(output: Output): Promise<void> {
    const { root, targets, key, oldImages } = output
    const changes = root.traits.changes !== 'append'
    const place = this.#graph.place(root)
    for (const target of targets) {
      if (target === 'client') {
        const sink = await this.#input.client(root.schema, { changes })
        place.connect(this.#stage('client', sink, oldImages))
      } else {
        const withChanges = changes && target.info.accepts === 'changelog'
        place.connect(
          await this.#openTarget(
            target,
            root.schema,
            { changes: withChanges, key, bounded: root.traits.bounded, eventTime: root.traits.eventTime },
            oldImages,
          ),
        )
      }
    }
  }

  async #openTarget(target: SinkTarget, schema: Schema, form: SinkForm, oldImages = true): Promise<SinkStage> {
    const handle = target.info.handle as Endpoint
    const same = JSON.stringify(
      [handle.uri.text, Object.entries(handle.options), form, oldImages, schema.fields],
      (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
    )
    let stage = this.#targets.get(same)
    if (stage === undefined) {
      stage = this.#stage(
        target.info.uri,
        await this.#open(handle, schema, { name: target.name, uri: target.info.uri }, form),
        oldImages,
      )
      this.#targets.set(same, stage)
    } else stage.addInput()
    return stage
  }

  #open(handle: Endpoint, schema: Schema, target: { name: string; uri: string }, form: SinkForm): Promise<Sink> {
    return openSink(this.#place, handle, { schema, part: this.#parts.of(target), writer: this.#writers++, form })
  }

  #stage(name: string, sink: Sink, oldImages: boolean): SinkStage {
    const onRejects = (rejects: readonly SinkReject[], batch: Batch) => {
      for (const { code, detail, row } of rejects) {
        this.#input.deadLetters.add({
          ...this.#rowFacts(batch, row),
          code,
          detail,
          stage: 'sink',
          sqlPosition: undefined,
        })
      }
    }
    const stage = new SinkStage({ name, sink, oldImages }, onRejects)
    this.#sinks.push(stage)
    return stage
  }

  #onRowError({ code, detail, span, batch, row }: RowError): void {
    // What is taken back failed when it came (rulings 36): the failures that count are those of the rows that stand.
    if (row >= 0 && batch.changes !== undefined && !adds(batch.changes[row]!)) {
      this.#input.deadLetters.takeBack(code)
      return
    }
    const sqlPosition = span === undefined ? undefined : this.#input.sqlPosition?.(span)
    const letter = { ...this.#rowFacts(batch, row), code, detail, stage: 'expression', sqlPosition } as const
    this.#input.deadLetters.add(letter, this.#exprPolicy === 'fail' && code !== 'row_future_timestamp' ? 'fail' : 'dlq')
  }

  /** `late_data = 'dlq'`: late rows with what LATE DATA TO adds to them, once for every window that they missed. */
  #lateLetters(): Receiver {
    const code = 'row_late'
    const detail = 'came after its window had closed'
    return {
      finished: false,
      receive: async (element) => {
        if (element.kind !== 'batch') return
        const { batch } = element
        for (let row = 0; row < batch.rows; row++) {
          const letter = {
            ...this.#rowFacts(batch, row),
            code,
            detail,
            stage: 'window',
            sqlPosition: undefined,
          } as const
          this.#input.deadLetters.keep(letter)
        }
      },
    }
  }

  /** Where a row came from and what it was: its bytes while they are at hand, else its columns as JSON. */
  #rowFacts(
    batch: Batch,
    row: number,
  ): Pick<DeadLetter, 'source' | 'split' | 'ordinal' | 'byte' | 'value' | 'encoding'> {
    const { provenance } = batch
    const asJson = () => ({ byte: undefined, value: Buffer.from(rowJson(batch, row)), encoding: 'row' }) as const
    if (provenance === undefined) {
      // It was made of rows of all sources that lead here.
      const source = [...new Set(this.#sources.map(({ node }) => node.info.uri))].join(', ')
      return { source, split: undefined, ordinal: undefined, ...asJson() }
    }
    const split = this.#engine.secrets.redact(provenance.split)
    const facts = { source: this.#source?.info.uri ?? split, split, ordinal: ordinalOf(provenance, row) }
    const value = recordOf(provenance, row)
    return value === undefined ? { ...facts, ...asJson() } : { ...facts, byte: undefined, value, encoding: 'raw' }
  }

  #digest(complete: boolean, elapsedMs: number): Digest {
    return {
      complete,
      rowsIn: this.#rowsIn(),
      batchesIn: this.#graph.origins.reduce((batches, origin) => batches + origin.batches, 0),
      rowsOut: this.#sinks.map(({ name, rows, published }) => ({ target: name, rows, published })),
      lateRows: this.#context.counters.lateRows,
      rejected: this.#input.deadLetters.byCode,
      misfits: [...this.#misfits],
      elapsedMs,
    }
  }
}

/** The row as a JSON object; empty when the failure has no row (a result that does not fit its type). */
function rowJson(batch: Batch, row: number): string {
  if (row < 0 || row >= batch.rows) return '{}'
  const members = batch.schema.fields.map(({ name, type }, i) => {
    const value = valueAt(batch.columns[i]!, row)
    return `${JSON.stringify(name)}:${value === null ? 'null' : jsonOfValue(value, type)}`
  })
  return `{${members.join(',')}}`
}

function exprPolicy(plan: ScriptPlan): 'dlq' | 'null' | 'fail' {
  const given = plan.settings.get('on_expr_error') ?? 'dlq'
  if (given === 'dlq' || given === 'null' || given === 'fail') return given
  throw new HeadraceError('connector_option_invalid', `on_expr_error = '${given}' is not known`, {
    hint: 'one of: dlq, null, fail',
  })
}
