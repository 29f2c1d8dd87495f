import type { SinkContext } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import { valueAt } from '../../core/column-read.ts'
import { HeadraceError } from '../../core/errors.ts'
import { membersOf } from '../../core/json-members.ts'
import type { Value } from '../../core/values.ts'
import type { FrameInput } from '../frame-fields.ts'
import type { StreamOptions } from './options.ts'

/** Columns that are members of the frame; others are members of its payload. */
const OWN = ['sequence', 'status', 'latency_ms', 'observed_at', 'metadata', 'payload'] as const
/** Columns of a stream that is read, which its service gives anew. */
const GIVEN = new Set(['position', 'created_at', 'event_time'])

/** Makes frames of rows: columns by name, all others members of the payload (streams-service.md §12). */
export class RowInputs implements Disposable {
  readonly #encoder: ReturnType<SinkContext['encoder']>
  readonly #columns: Readonly<Partial<Record<(typeof OWN)[number], number>>>
  readonly #observed: number | undefined
  readonly #payload: ReadonlySet<string>

  constructor({ schema, options, eventTime, encoder }: SinkContext) {
    const { columns: chosen, observed_at: observed } = options as StreamOptions
    const names = schema.fields.map(({ name }) => name)
    const at = (name: string): number | undefined => {
      const index = names.indexOf(name)
      return index < 0 ? undefined : index
    }
    for (const name of [...(chosen ?? []), ...(observed === undefined ? [] : [observed])]) {
      if (!names.includes(name)) {
        throw new HeadraceError('connector_option_invalid', `the rows have no column "${name}"`, {
          hint: `their columns: ${names.join(', ')}`,
        })
      }
    }
    this.#columns = Object.fromEntries(OWN.flatMap((name) => (at(name) === undefined ? [] : [[name, at(name)!]])))
    this.#observed = at(observed ?? 'observed_at') ?? eventTime
    const own: ReadonlySet<string> = new Set([...OWN, ...GIVEN])
    this.#payload = new Set(names.filter((name) => !own.has(name) && (chosen ?? names).includes(name)))
    this.#encoder = encoder('jsonl')
  }

  of(batch: Batch): FrameInput[] {
    const bytes = this.#encoder.encode(batch)
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return Array.from({ length: batch.rows }, (_, row) => {
      const start = row === 0 ? 0 : this.#encoder.rowEnds[row - 1]!
      const line = text.toString('utf8', start, this.#encoder.rowEnds[row]!).trimEnd()
      const value = (name: (typeof OWN)[number]): Value => {
        const column = this.#columns[name]
        return column === undefined ? null : valueAt(batch.columns[column]!, row)
      }
      return {
        sequence: value('sequence') ?? undefined,
        status: value('status') ?? undefined,
        latencyMs: numberOf(value('latency_ms')),
        observedAt: this.#observedAt(batch, row),
        metadata: metadataOf(value('metadata')),
        payloadText: payloadOf(membersOf(line), this.#payload),
      }
    })
  }

  /** Microseconds of a time column, as milliseconds. */
  #observedAt(batch: Batch, row: number): number | undefined {
    const micros = this.#observed === undefined ? null : valueAt(batch.columns[this.#observed]!, row)
    return micros === null ? undefined : Math.floor(Number(micros) / 1000)
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]()
  }
}

const numberOf = (value: Value): number | undefined => (value === null ? undefined : Number(value))

function metadataOf(value: Value): unknown {
  if (value instanceof Map) return Object.fromEntries(value)
  return typeof value === 'string' ? JSON.parse(value) : undefined
}

/** The column `payload`, if it is an object, and the members of the others. */
function payloadOf(members: ReadonlyMap<string, string>, names: ReadonlySet<string>): string {
  const base = members.get('payload')
  const inner = base?.startsWith('{') === true ? base.slice(1, -1) : ''
  const others = [...members]
    .filter(([name]) => names.has(name))
    .map(([name, value]) => `${JSON.stringify(name)}:${value}`)
  return `{${[...(inner === '' ? [] : [inner]), ...others].join(',')}}`
}
