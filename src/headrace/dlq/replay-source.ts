import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import type { Health, Source, SourceItem, SplitEvent, SplitReader } from '../../connectors/contract.ts'
import { SystemColumns } from '../../connectors/system-columns.ts'
import type { Decoded, Decoder } from '../../formats/decoder.ts'
import { formatOfPath } from '../../formats/detect.ts'
import type { SourceNode } from '../../sql/plan.ts'
import type { Endpoint } from '../endpoint.ts'
import { decoderFor, type OpenPlace } from '../open.ts'

/** One record that runs again. */
export interface ReplayRecord {
  readonly bytes: Uint8Array
  readonly split: string
  /** Where it was: rows in messages and system columns are those of the source. */
  readonly byte: number
  readonly ordinal: number
}

/** The record at hand cannot be read: it is not one record, or the header that named its fields is gone. */
export type Unreadable = { readonly records: number } | { readonly header: string }

/** What a source asks of whoever has the entries. */
export interface ReplayFeed {
  /** The next record; undefined: there is no more. */
  next(signal: AbortSignal): Promise<ReplayRecord | undefined>
  refuse(why: Unreadable): void
}

/** Entries of one source, each decoded on its own as the source's records are. */
export class ReplaySource implements Source {
  readonly #place: OpenPlace
  readonly #node: SourceNode
  readonly #feed: ReplayFeed
  readonly #incarnation: string

  constructor(place: OpenPlace, node: SourceNode, form: { readonly feed: ReplayFeed; readonly incarnation: string }) {
    this.#place = place
    this.#node = node
    this.#feed = form.feed
    this.#incarnation = form.incarnation
  }

  /** That of the log that the entries came from. */
  incarnation(): Promise<string> {
    return Promise.resolve(this.#incarnation)
  }

  async *splits(): AsyncIterable<SplitEvent> {
    yield { kind: 'added', split: { id: 'dead letters' } }
    yield { kind: 'complete' }
  }

  open(): SplitReader {
    return new ReplayReader(this.#place, this.#node, this.#feed)
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class ReplayReader implements SplitReader {
  readonly #place: OpenPlace
  readonly #node: SourceNode
  readonly #feed: ReplayFeed
  readonly #system: SystemColumns
  /** By split. */
  readonly #decoders = new Map<string, Decoder | undefined>()

  constructor(place: OpenPlace, node: SourceNode, feed: ReplayFeed) {
    this.#place = place
    this.#node = node
    this.#feed = feed
    const { schema, systemColumns } = node
    this.#system = new SystemColumns(schema, systemColumns, { capacity: 2, memory: place.engine.memory })
  }

  async *read(_from: undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    for (let n = 1; !signal.aborted; n++) {
      const record = await this.#feed.next(signal)
      if (record === undefined) return
      const decoder = this.#decoderOf(record)
      if (decoder === undefined) {
        this.#feed.refuse({ header: record.split })
        continue
      }
      // Before any row leaves: nothing of what is not one record is delivered.
      let records = 0
      for (const { batch, rejects } of decode(decoder, record)) records += (batch?.rows ?? 0) + rejects.length
      if (records !== 1) {
        this.#feed.refuse({ records })
        continue
      }
      for (const decoded of decode(decoder, record)) yield this.#item(decoded, record, n)
    }
  }

  #item(decoded: Decoded, { split }: ReplayRecord, n: number): SourceItem {
    const isFile = (this.#node.info.handle as Endpoint).connector.name === 'file'
    const facts = isFile ? { source: `file:${split}`, file: split } : { source: this.#node.info.uri }
    const batch = decoded.batch === undefined ? undefined : this.#system.add(decoded.batch, facts)
    return { kind: 'batch', batch, next: `d1:${n}`, rejects: decoded.rejects }
  }

  /** Undefined: the names of its fields stood in a header that cannot be read any more. */
  #decoderOf({ split }: ReplayRecord): Decoder | undefined {
    if (this.#decoders.has(split)) return this.#decoders.get(split)
    const { options } = this.#node.info.handle as Endpoint
    const format = formatOf(options['format'] as string | undefined, split)
    const decoder = decoderFor(this.#place, this.#node, { split, format, batchRows: 2 })
    const isHeaded = (format === 'csv' || format === 'tsv') && options['header'] !== false
    const isReady = !isHeaded || readHeader(decoder, split)
    if (!isReady) decoder[Symbol.dispose]()
    this.#decoders.set(split, isReady ? decoder : undefined)
    return isReady ? decoder : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#system[Symbol.dispose]()
    for (const decoder of this.#decoders.values()) decoder?.[Symbol.dispose]()
    this.#decoders.clear()
  }
}

/** A record of a JSON text stands alone as a JSON line does; what has no bytes of its own was kept as one. */
function formatOf(given: string | undefined, split: string): string {
  const format = given === undefined || given === 'auto' ? (formatOfPath(split) ?? 'jsonl') : given
  return format === 'json' ? 'jsonl' : format
}

function* decode(decoder: Decoder, { bytes, byte, ordinal }: ReplayRecord): Iterable<Decoded> {
  decoder.seek({ byte, ordinal })
  if (bytes.length > 0) {
    decoder.reserve(bytes.length).set(bytes)
    yield* decoder.commit(bytes.length, { kind: 'delimited' })
  }
  yield* decoder.finish()
}

/** Longest header that is looked for. */
const HEADER_BYTES = 1024 * 1024

/** The decoder learns the names of the fields from the start of the file; false when there is none. */
function readHeader(decoder: Decoder, split: string): boolean {
  if (!existsSync(split)) return false
  const bytes = Buffer.alloc(HEADER_BYTES)
  const descriptor = openSync(split, 'r')
  const length = readSync(descriptor, bytes, 0, HEADER_BYTES, 0)
  closeSync(descriptor)
  const isCompressed = bytes.readUInt16LE(0) === 0x8b1f || bytes.readUInt32LE(0) === 0xfd2fb528
  if (length === 0 || isCompressed) return false
  decoder.seek({ byte: 0, ordinal: 0 })
  decoder.reserve(length).set(bytes.subarray(0, length))
  for (const _first of decoder.commit(length, { kind: 'delimited' })) return true
  return true
}
