import type { Sink, SinkReject, Source } from '../connectors/contract.ts'
import { textAt } from '../core/column-read.ts'
import type { Schema } from '../core/types.ts'
import { textOfValue } from '../expr/value-text.ts'
import { createDecoder, createEncoder } from '../formats/formats.ts'
import type { OperatorContext, RowError } from '../operators/operator.ts'
import { drive, type OpenSource } from '../runtime/drive/drive.ts'
import { buildGraph, type Graph } from '../runtime/graph/build.ts'
import { SinkStage } from '../runtime/graph/sink-stage.ts'
import type { Output, ScriptPlan, SinkTarget, SourceNode } from '../sql/plan.ts'
import { connectorContext } from './connector-context.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'
import { decoderSpec, encoderSpec } from './format-specs.ts'

export interface PipelineInput {
  readonly plan: ScriptPlan
  readonly baseDirectory: string
  readonly deadLetters: DeadLetters
  /** Where the rows of queries without INTO go; called once per such output. */
  readonly client: (schema: Schema, form: { readonly changes: boolean }) => Promise<Sink> | Sink
  readonly onProgress?: ((progress: Progress) => void) | undefined
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
  readonly rowsOut: readonly { readonly target: string; readonly rows: number }[]
  readonly lateRows: number
  /** Rows that were dead-lettered, skipped or printed, by code. */
  readonly rejected: ReadonlyMap<string, number>
  readonly elapsedMs: number
}

/** Runs one plan from its sources to its sinks, without checkpoints (rulings 66, 68). */
export class Pipeline {
  readonly #engine: Engine
  readonly #input: PipelineInput
  readonly #context: OperatorContext
  readonly #sinks: SinkStage[] = []
  readonly #sources: OpenSource[] = []
  readonly #graph: Graph

  constructor(engine: Engine, input: PipelineInput) {
    this.#engine = engine
    this.#input = input
    this.#context = engine.operatorContext((error) => this.#onRowError(error))
    this.#graph = buildGraph(input.plan, this.#context)
  }

  async run(signal: AbortSignal): Promise<Digest> {
    const started = this.#engine.clock.elapsedMs()
    try {
      for (const output of this.#input.plan.outputs) await this.#openOutput(output)
      for (const { stage, node, schema } of this.#graph.late) {
        stage.connectLate(
          await this.#openTarget(node.late!, schema, { changes: false, key: [], bounded: node.traits.bounded }),
        )
      }
      for (const origin of this.#graph.origins) {
        if (origin.node.kind !== 'source') continue
        const { node } = origin
        const maxRecords = (node.info.handle as Endpoint).options['max_records'] as number | undefined
        this.#sources.push({ origin, node, source: await this.#openSource(node), maxRecords })
      }
      const complete = await this.#drive(signal)
      if (complete) for (const { sink } of this.#sinks) await sink.finish?.()
      return this.#digest(complete, this.#engine.clock.elapsedMs() - started)
    } finally {
      for (const { sink } of this.#sinks) await sink[Symbol.asyncDispose]()
      for (const { source } of this.#sources) await source[Symbol.asyncDispose]()
      for (const stage of this.#graph.stages) stage.operator[Symbol.dispose]()
      this.#context.scratch[Symbol.dispose]()
    }
  }

  #drive(signal: AbortSignal): Promise<boolean> {
    const { onProgress, deadLetters } = this.#input
    return drive(
      {
        graph: this.#graph,
        sources: this.#sources,
        context: this.#context,
        clock: this.#engine.clock,
        onReject: (reject, source) => deadLetters.reject(reject, source.info.uri),
        onProgress: onProgress === undefined ? undefined : () => onProgress(this.#progress()),
      },
      signal,
    )
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
    const { root, targets, key } = output
    const changes = root.traits.changes !== 'append'
    const place = this.#graph.place(root)
    for (const target of targets) {
      if (target === 'client') {
        const sink = await this.#input.client(root.schema, { changes })
        place.connect(this.#stage('client', sink))
      } else {
        const withChanges = changes && target.info.accepts === 'changelog'
        place.connect(
          await this.#openTarget(target, root.schema, { changes: withChanges, key, bounded: root.traits.bounded }),
        )
      }
    }
  }

  async #openTarget(
    target: SinkTarget,
    schema: Schema,
    form: { readonly changes: boolean; readonly key: readonly number[]; readonly bounded: boolean },
  ): Promise<SinkStage> {
    const handle = target.info.handle as Endpoint
    const base = connectorContext(this.#engine, handle, {
      baseDirectory: this.#input.baseDirectory,
      pipeline: this.#input.plan.name,
      writer: this.#sinks.length,
    })
    const sink = await handle.connector.openSink!({
      ...base,
      ...form,
      schema,
      valueText: textOfValue,
      encoder: (format) =>
        createEncoder(
          format,
          encoderSpec(this.#engine, handle.options, { schema, changes: form.changes }),
          this.#engine,
        ),
    })
    return this.#stage(target.info.uri, sink)
  }

  #stage(name: string, sink: Sink): SinkStage {
    const onRejects = (rejects: readonly SinkReject[]) => {
      for (const { code, detail } of rejects) this.#input.deadLetters.add({ code, detail, place: name, bytes: '' })
    }
    const stage = new SinkStage(name, sink, onRejects)
    this.#sinks.push(stage)
    return stage
  }

  async #openSource(node: SourceNode): Promise<Source> {
    const handle = node.info.handle as Endpoint
    const base = connectorContext(this.#engine, handle, {
      baseDirectory: this.#input.baseDirectory,
      pipeline: this.#input.plan.name,
    })
    const batchRows = Math.min(this.#engine.batchRows, (handle.options['batch_rows'] as number | undefined) ?? 8192)
    const { schema, columns, systemColumns } = node
    const physical = { fields: schema.fields.slice(0, columns.length) }
    return await handle.connector.openSource!({
      ...base,
      schema,
      columns,
      systemColumns,
      batchRows,
      decoder: (split, format) => {
        const nowMicros = () => this.#engine.clock.nowMicros()
        const form = { schema: physical, columns, split, batchRows, nowMicros, mixed: handle.mixed }
        return createDecoder(format, decoderSpec(this.#engine, handle.options, form), this.#engine)
      },
    })
  }

  #onRowError({ code, detail, batch, row }: RowError): void {
    const { provenance } = batch
    const ordinal = provenance === undefined ? undefined : provenance.rowOrdinal + (provenance.ordinals?.[row] ?? row)
    const { slab, recordStarts, recordEnds } = provenance ?? {}
    const start = recordStarts?.[row]
    const bytes =
      slab === undefined || start === undefined ? '' : textAt(slab, start, recordEnds![row]! - start).trimEnd()
    const place = ordinal === undefined ? this.#context.current.split : `${this.#context.current.split}:${ordinal + 1}`
    this.#input.deadLetters.add({ code, detail, place, bytes })
  }

  #digest(complete: boolean, elapsedMs: number): Digest {
    return {
      complete,
      rowsIn: this.#rowsIn(),
      rowsOut: this.#sinks.map(({ name, rows }) => ({ target: name, rows })),
      lateRows: this.#context.counters.lateRows,
      rejected: this.#input.deadLetters.byCode,
      elapsedMs,
    }
  }
}
