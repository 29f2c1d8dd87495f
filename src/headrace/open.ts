import type { Sink, Source } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { shortHash } from '../core/short-hash.ts'
import type { Schema } from '../core/types.ts'
import { textOfValue } from '../expr/value-text.ts'
import type { Decoder } from '../formats/decoder.ts'
import { createDecoder, createEncoder } from '../formats/formats.ts'
import { Checksum } from '../kernels/crc32c.ts'
import { SpooledSink } from '../runtime/delivery/spooled-sink.ts'
import type { ScriptPlan, SourceNode } from '../sql/plan.ts'
import { connectorContext, type DurablePlace } from './connector-context.ts'
import type { Endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'
import { decoderSpec, encoderSpec } from './format-specs.ts'

/** The pipeline whose sources and sinks are opened. */
export interface OpenPlace {
  readonly engine: Engine
  readonly plan: ScriptPlan
  readonly baseDirectory: string
  readonly durable: DurablePlace | undefined
  /** Where rows are kept for sinks that cannot stage them; undefined when there is no folder. */
  readonly spools?: { readonly directory: string; readonly onHalf: () => void } | undefined
}

/** How rows reach a sink. */
export interface SinkForm {
  readonly changes: boolean
  readonly key: readonly number[]
  readonly bounded: boolean
  readonly eventTime: number | undefined
}

interface SinkToOpen {
  readonly schema: Schema
  readonly part: string
  readonly writer: number
  readonly form: SinkForm
}

export async function openSink(place: OpenPlace, handle: Endpoint, sink: SinkToOpen): Promise<Sink> {
  const opened = await openTarget(place, handle, sink)
  const { engine, durable, spools } = place
  if (durable === undefined || handle.connector.capabilities.sink?.stage !== 'spool') return opened
  if (spools === undefined) {
    throw new HeadraceError(
      'not_implemented',
      `"${handle.printed}" needs a folder to keep its rows until they are committed`,
    )
  }
  return new SpooledSink(opened, {
    ...spools,
    part: sink.part,
    incarnation: durable.incarnation,
    schema: sink.schema,
    memory: engine.memory,
    checksum: new Checksum(engine.kernels),
    bytesMax: limits.spoolBytes,
  })
}

async function openTarget(
  { engine, plan, baseDirectory, durable }: OpenPlace,
  handle: Endpoint,
  { schema, part, writer, form }: SinkToOpen,
): Promise<Sink> {
  const spec = encoderSpec(engine, handle.options, { schema, changes: form.changes })
  return await handle.connector.openSink!({
    ...connectorContext(engine, handle, { baseDirectory, pipeline: plan.name, part, writer, durable }),
    ...form,
    schema,
    valueText: (value, type) => textOfValue(value, type, plan.settings.get('timezone')),
    encoder: (format) => createEncoder(format, spec, engine),
  })
}

/** `state`: what `Source.state` gave in the run that is taken up. */
export async function openSource(
  { engine, plan, baseDirectory, durable }: OpenPlace,
  node: SourceNode,
  run: {
    /** What the source gave in the run that is taken up. */
    readonly state: Uint8Array | undefined
    /** That run had read everything: what was added since is read. */
    readonly again: boolean
  },
): Promise<Source> {
  const handle = node.info.handle as Endpoint
  const batchRows = Math.min(engine.batchRows, (handle.options['batch_rows'] as number | undefined) ?? 8192)
  const { schema, columns, systemColumns } = node
  return await handle.connector.openSource!({
    ...connectorContext(engine, handle, { baseDirectory, pipeline: plan.name, part: node.id, durable }),
    schema,
    columns,
    systemColumns,
    batchRows,
    ...run,
    decoder: (split, format) => decoderFor({ engine }, node, { split, format, batchRows }),
  })
}

/** Reads records of a split into the columns that a plan wants of its source. */
export function decoderFor(
  { engine }: Pick<OpenPlace, 'engine'>,
  { schema, columns, info }: SourceNode,
  { split, format, batchRows }: { readonly split: string; readonly format: string; readonly batchRows: number },
): Decoder {
  const { options, mixed } = info.handle as Endpoint
  const physical = { fields: schema.fields.slice(0, columns.length) }
  const nowMicros = () => engine.clock.nowMicros()
  const spec = decoderSpec(engine, options, { schema: physical, columns, split, batchRows, nowMicros, mixed })
  return createDecoder(format, spec, engine)
}

/** Gives every sink of a pipeline a name that is the same in every run of the same plan, and fit for a file name. */
export class PartNames {
  readonly #used = new Map<string, number>()

  of({ name, uri }: { readonly name: string; readonly uri: string }): string {
    const base = /^[A-Za-z0-9_]{1,40}$/.test(name) ? name : `${/^[a-z0-9+]*/.exec(uri)![0]}_${shortHash(uri)}`
    const count = (this.#used.get(base) ?? 0) + 1
    this.#used.set(base, count)
    return count === 1 ? base : `${base}_${count}`
  }
}
