import { described, hasMethods, type OptionNames } from '../../core/option-names.ts'
import { ConsumedMessage, type StreamConsumer } from '../../processor/consumer.ts'
import { GenericMessage } from '../../processor/message.ts'
import { createSource, type EndpointForm, FORM } from './create.ts'
import { EngineSource } from './data-source.ts'
import { DataSourceError, misuse, refuseUnknown } from './errors.ts'
import { OffsetFile } from './offset-file.ts'
import { parsePosition, splitOffsetText } from './offsets.ts'
import type { OptionInputs } from './option-inputs.ts'
import { rowToJson } from './row-json.ts'
import type { DataReader, DataSource, StreamRecord, Waiting } from './types.ts'

/** How records become messages, and what is kept of them. */
export interface ConsumerOptions {
  /** A folder that keeps what was committed: the next consumer goes on there. */
  readonly checkpoint?: string | undefined
  /** What changes take rows back: each message is then `{"change": …, "row": …}`; else such a source is refused. */
  readonly changelog?: 'envelope' | undefined
  /** Name of the source in messages; its scheme and place by default. */
  readonly sourceName?: string | undefined
  /** Records read ahead. */
  readonly rows?: number | undefined
}

/** A consumer of messages over the source of a URI. */
export function createConsumer(
  uri: string | URL,
  options: OptionInputs = {},
  form: EndpointForm & ConsumerOptions = {},
): StreamConsumer {
  refuseUnknown('the form of a consumer', form, { ...FORM, ...OPTIONS })
  const { checkpoint, changelog, sourceName, rows, ...place } = form
  return new SourceConsumer(createSource(uri, options, place), { checkpoint, changelog, sourceName, rows })
}

const OPTIONS: OptionNames<ConsumerOptions> = { checkpoint: true, changelog: true, sourceName: true, rows: true }

/**
 * A consumer of messages over any source. The payload is the record as it was read where its format keeps it, else the
 * row as JSON; offset and partition are those of the record. Committing an offset covers all before it in its partition.
 */
export function toConsumer(source: DataSource, options: ConsumerOptions = {}): StreamConsumer {
  refuseUnknown('toConsumer', options, OPTIONS)
  if (!hasMethods(source, 'createReader')) {
    throw misuse(`toConsumer: ${described(source)} is no source`, 'toConsumer(createSource(uri))')
  }
  return new SourceConsumer(source, options)
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  json: 'application/json',
  jsonl: 'application/json',
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  text: 'text/plain',
  raw: 'application/octet-stream',
}

class SourceConsumer implements StreamConsumer, AsyncDisposable {
  readonly commitMode = 'cumulative'
  readonly #source: DataSource
  readonly #options: ConsumerOptions
  readonly #name: string
  readonly #store: OffsetFile | undefined
  #opening: Promise<{ readonly reader: DataReader; readonly contentType: string | undefined }> | undefined
  #records: readonly StreamRecord[] = []
  #at = 0
  #ended = false
  #closed = false
  /** Partitions that messages came of. */
  readonly #seen = new Set<string>()
  /** What was committed, by partition. */
  readonly #committed = new Map<string, string>()

  constructor(source: DataSource, options: ConsumerOptions) {
    this.#source = source
    this.#options = options
    this.#name = options.sourceName ?? nameOf(source.uri)
    this.#store = options.checkpoint === undefined ? undefined : new OffsetFile(options.checkpoint, source.uri)
  }

  sourceName(): string {
    return this.#name
  }

  async consume({ signal }: Waiting = {}): Promise<ConsumedMessage | null> {
    signal?.throwIfAborted()
    if (this.#closed || this.#ended) return null
    const { reader, contentType } = await this.#open()
    while (this.#at === this.#records.length) {
      if (!reader.hasMore() || this.#closed) {
        this.#ended = true
        return null
      }
      this.#records = await reader.read(undefined, { waitMs: Number.POSITIVE_INFINITY, signal })
      this.#at = 0
    }
    const record = this.#records[this.#at++]!
    this.#seen.add(record.partition ?? '')
    return ConsumedMessage.withOffset(this.#message(record, reader, contentType), record.offset, record.partition)
  }

  #message(record: StreamRecord, reader: DataReader, contentType: string | undefined): GenericMessage {
    const { value, bytes, partition, offset, change } = record
    const raw = value instanceof Uint8Array ? value : bytes
    const isEnvelope = this.#options.changelog === 'envelope'
    if (change !== 'insert' && !isEnvelope) throw this.#refused(change)
    const json = value instanceof Uint8Array ? undefined : () => rowToJson(value, reader.schema)
    const payload = isEnvelope
      ? `{"change":${JSON.stringify(change)},"row":${json?.() ?? 'null'}}`
      : (raw ?? json?.() ?? '')
    return GenericMessage.from({
      payload,
      source: this.#name,
      id: idOf(record.id ?? `${this.#name}:${partition ?? ''}:${offset}`),
      timestamp:
        record.eventTime !== undefined && record.eventTime < record.timestamp ? record.eventTime : record.timestamp,
      contentType: isEnvelope || raw === undefined ? 'application/json' : contentType,
      headers: record.headers,
    })
  }

  #refused(change: string): DataSourceError {
    return new DataSourceError(
      'Unsupported',
      'connector_operation_unsupported',
      `"${this.#source.uri}" gave a ${change}`,
      {
        hint: "messages have no kinds of change: give { changelog: 'envelope' } to get them inside of the payload",
        details: { capability: 'append' },
      },
    )
  }

  #open(): Promise<{ readonly reader: DataReader; readonly contentType: string | undefined }> {
    this.#opening ??= (async () => {
      const from = this.#store?.load()
      // What other partitions had committed stays so.
      for (const [key, at] of (from === undefined ? undefined : parsePosition(from)) ?? []) {
        this.#committed.set(key, splitOffsetText(at))
      }
      const reader = await this.#source.createReader({
        bytes: this.#options.changelog === undefined,
        ...(from === undefined ? {} : { from }),
        ...(this.#options.rows === undefined ? {} : { rows: this.#options.rows }),
      })
      const format = this.#source instanceof EngineSource ? await this.#source.format() : undefined
      return { reader, contentType: format === undefined ? undefined : CONTENT_TYPES[format] }
    })()
    return this.#opening
  }

  async commit(offset: string, partition?: string): Promise<void> {
    const { reader } = await this.#open()
    const key = partition ?? this.#only()
    this.#committed.set(key, offset)
    if (this.#store !== undefined) this.#store.save(`p1:${JSON.stringify(Object.fromEntries(this.#committed))}`)
    await reader.commit(offset, key)
  }

  /** The offset of a message says nothing of its partition: it may be left out while there is one. */
  #only(): string {
    const [first, other] = this.#seen
    if (first !== undefined && other === undefined) return first
    throw new DataSourceError('SourceSpecific', 'library_usage', 'the offset of a message has no partition', {
      hint: 'give it, too: commit(message.offset, message.partition)',
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const opened = await this.#opening?.catch(() => undefined)
    await opened?.reader.close()
    await this.#source.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Letters, digits and `-_./`, as names of sources are. */
function nameOf(uri: string): string {
  const name = uri
    .replace(/\?.*$/, '')
    .replace(/[^\p{L}\p{N}\-_./]+/gu, '-')
    .replace(/\/{2,}/g, '/')
    .slice(-128)
  return name === '' ? 'source' : name
}

/** Ids are printable ASCII of at most 256 characters. */
const idOf = (text: string): string => text.replace(/[^\x20-\x7e]/g, (c) => encodeURIComponent(c)).slice(-256)
