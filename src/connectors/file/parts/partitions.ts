import type { Batch } from '../../../core/batch.ts'
import { valueAt } from '../../../core/column-read.ts'
import type { Value } from '../../../core/values.ts'
import type { SinkContext, SinkReject } from '../../contract.ts'
import type { PathPart } from './path-template.ts'
import { TimeParts } from './time-parts.ts'

/** Rows of one batch that go to one file, as runs `[from, to)` in order. */
export interface PartitionRows {
  readonly key: string
  readonly runs: readonly number[]
}

export interface Partitioned {
  readonly partitions: readonly PartitionRows[]
  readonly rejects: readonly SinkReject[]
}

export interface PartitionSpec {
  readonly parts: readonly PathPart[]
  readonly timeZone: string
  /** Files hold the event times of one such span, milliseconds. */
  readonly eventSpanMs: number | undefined
}

/** Stands for the epoch, which is not known before the barrier. */
const EPOCH = '\u0000'
/** Ends the path of a key; the span of event times follows. */
const SPAN = '\u0001'

/** The folder of a partition, relative to the root. */
export const folderOf = (key: string, epoch: bigint): string => key.split(SPAN, 1)[0]!.replaceAll(EPOCH, String(epoch))

/** Texts of column values that are kept. */
const TEXTS_MAX = 65_536
const SEGMENT_BYTES_MAX = 255

/** Tells which folder each row of a batch belongs to. */
export class Partitions {
  readonly #spec: PartitionSpec
  readonly #context: Pick<SinkContext, 'eventTime' | 'schema' | 'valueText' | 'clock'>
  readonly #times: TimeParts
  readonly #texts = new Map<number, Map<Value, string>>()

  constructor(spec: PartitionSpec, context: Pick<SinkContext, 'eventTime' | 'schema' | 'valueText' | 'clock'>) {
    this.#spec = spec
    this.#context = context
    this.#times = new TimeParts(spec.timeZone)
  }

  of(batch: Batch): Partitioned {
    const { parts, eventSpanMs } = this.#spec
    const all = (): number[] => [0, batch.rows]
    if (eventSpanMs === undefined && !parts.some(({ kind }) => kind === 'column' || kind === 'time')) {
      return { partitions: [{ key: this.#keyOf(batch, 0, 0), runs: all() }], rejects: [] }
    }
    const ingest = batch.provenance?.ingestMicros ?? this.#context.clock.nowMicros()
    const found = new Map<string, number[]>()
    const rejects: SinkReject[] = []
    for (let row = 0; row < batch.rows; row++) {
      const key = this.#keyOf(batch, row, ingest)
      if (tooLong(key)) {
        rejects.push({
          row,
          code: 'connector_record_too_large',
          detail: 'a value is too long for the name of a folder',
        })
        continue
      }
      const runs = found.get(key)
      if (runs === undefined) found.set(key, [row, row + 1])
      else if (runs.at(-1) === row) runs[runs.length - 1] = row + 1
      else runs.push(row, row + 1)
    }
    return { partitions: [...found].map(([key, runs]) => ({ key, runs })), rejects }
  }

  #keyOf(batch: Batch, row: number, ingest: number): string {
    let key = ''
    let micros: number | undefined
    for (const part of this.#spec.parts) {
      if (part.kind === 'text') key += part.text
      else if (part.kind === 'epoch') key += EPOCH
      else if (part.kind === 'column') key += this.#columnText(batch, part.column, row)
      else key += this.#times.text((micros ??= this.#time(batch, row, ingest)), part.unit)
    }
    const span = this.#spec.eventSpanMs
    if (span === undefined) return key
    micros ??= this.#time(batch, row, ingest)
    return `${key}${SPAN}${Math.floor(micros / (span * 1000))}`
  }

  /** Event time, else the time at which the row came in. */
  #time(batch: Batch, row: number, ingest: number): number {
    const { eventTime } = this.#context
    const value = eventTime === undefined ? null : valueAt(batch.columns[eventTime]!, row)
    return value === null ? ingest : Number(value)
  }

  #columnText(batch: Batch, column: number, row: number): string {
    const value = valueAt(batch.columns[column]!, row)
    if (value === null) return '__NULL__'
    let texts = this.#texts.get(column)
    if (texts === undefined) this.#texts.set(column, (texts = new Map()))
    let text = texts.get(value)
    if (text === undefined) {
      text = segmentText(this.#context.valueText(value, this.#context.schema.fields[column]!.type))
      if (texts.size >= TEXTS_MAX) texts.clear()
      texts.set(value, text)
    }
    return text
  }
}

/** A value as part of a path: percent-encoded, never empty, and never what stands for NULL or a folder above. */
export function segmentText(value: string): string {
  if (value === '') return '__EMPTY__'
  const text = encodeURIComponent(value.toWellFormed()).replace(
    /[*!'()]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  if (text === '__NULL__' || text === '__EMPTY__') return `%5F${text.slice(1)}`
  return /^\.+$/.test(text) ? text.replaceAll('.', '%2E') : text
}

const tooLong = (key: string): boolean =>
  key.length > SEGMENT_BYTES_MAX &&
  key
    .split(SPAN, 1)[0]!
    .split('/')
    .some((segment) => Buffer.byteLength(segment) > SEGMENT_BYTES_MAX)
