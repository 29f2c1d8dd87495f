import { closeSync, openSync } from 'node:fs'
import type { Codec } from '../../formats/compression.ts'
import type { Decoded, Decoder } from '../../formats/decoder.ts'
import type { Health, Offset, Source, SourceContext, SourceItem, SplitEvent, SplitReader } from '../contract.ts'
import { SystemColumns } from '../system-columns.ts'
import { fileError, statOf } from './client.ts'
import type { FileOptions } from './options.ts'
import { type FileIdentity, formatOffset, identify, parseOffset } from './parts/identity.ts'
import { checkEnd, inflatedChunks, inspectInput, readAt } from './parts/input.ts'
import { listFiles, pathOf } from './parts/list-files.ts'

/** A bounded read of files: each file is a split. */
export class FileSource implements Source {
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #path: string
  /** Bytes of each file when it was found: what is added later is not read (rulings 47). */
  readonly #ends = new Map<string, number>()

  constructor(context: SourceContext) {
    this.#context = context
    this.#options = context.options as FileOptions
    this.#path = pathOf(context.uri, context.baseDirectory)
  }

  incarnation(): Promise<string> {
    return Promise.resolve(`file:${this.#path}`)
  }

  async *splits(): AsyncIterable<SplitEvent> {
    for (const file of listFiles(this.#path, this.#options)) {
      const size = statOf(file, 'read')?.size ?? 0
      // Files that the system makes up have no size; they are read to their end.
      if (size > 0) this.#ends.set(file, size)
      yield { kind: 'added', split: { id: file } }
    }
    yield { kind: 'complete' }
  }

  open(splitId: string): SplitReader {
    return new FileReader(splitId, this.#context, this.#options, this.#ends.get(splitId))
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class FileReader implements SplitReader {
  readonly #path: string
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #system: SystemColumns
  readonly #end: number
  #descriptor: number | undefined
  #decoder: Decoder | undefined

  /** `end`: bytes of the file that belong to the split; all of them when undefined. */
  constructor(path: string, context: SourceContext, options: FileOptions, end: number | undefined) {
    this.#path = path
    this.#end = end ?? Number.POSITIVE_INFINITY
    this.#context = context
    this.#options = options
    const { schema, systemColumns, batchRows: capacity, memory } = context
    this.#system = new SystemColumns(schema, systemColumns, { capacity, memory })
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const descriptor = this.#open()
    const start = from === undefined ? undefined : parseOffset(from)
    const identity = identify(descriptor, start?.identity.length)
    const same = start !== undefined && start.identity.crc === identity.crc
    const position = same ? { byte: start.byte, ordinal: start.row } : { byte: 0, ordinal: 0 }
    const input = await inspectInput(descriptor, this.#path, this.#options)
    const decoder = this.#context.decoder(this.#path, input.format)
    this.#decoder = decoder
    if (position.byte > 0 && HEADED.has(input.format)) await this.#readHeader(descriptor, decoder, input.codec)
    decoder.seek(position)
    const pieces =
      input.codec === undefined
        ? this.#plainPieces(descriptor, decoder, position.byte)
        : this.#inflatedPieces(descriptor, decoder, { codec: input.codec, skip: position.byte })
    for await (const decoded of pieces) {
      if (signal.aborted) return
      yield this.#item(decoded, identity)
    }
    for (const decoded of decoder.finish()) yield this.#item(decoded, identity)
  }

  /** A file that is entered in the middle still has its header at the start. */
  async #readHeader(descriptor: number, decoder: Decoder, codec: Codec | undefined): Promise<void> {
    decoder.seek({ byte: 0, ordinal: 0 })
    const pieces =
      codec === undefined
        ? this.#plainPieces(descriptor, decoder, 0)
        : this.#inflatedPieces(descriptor, decoder, { codec, skip: 0 })
    for await (const _first of pieces) return
  }

  /** Reads straight into the decoder's slab. */
  async *#plainPieces(descriptor: number, decoder: Decoder, from: number): AsyncIterable<Decoded> {
    let position = from
    let sinceTurn = 0
    while (position < this.#end) {
      const most = Math.min(this.#options.read_bytes, this.#end - position)
      const length = readAt(descriptor, decoder.reserve(most).subarray(0, most), position, this.#path)
      if (length === 0) return checkEnd(this.#path, position, this.#end)
      position += length
      yield* decoder.commit(length, { kind: 'delimited' })
      // Reading is synchronous, for speed; a turn of the event loop every few MiB lets signals and timers in.
      sinceTurn += length
      if (sinceTurn >= TURN_BYTES) {
        sinceTurn = 0
        await new Promise(setImmediate)
      }
    }
  }

  async *#inflatedPieces(
    descriptor: number,
    decoder: Decoder,
    form: { readonly codec: Codec; readonly skip: number },
  ): AsyncIterable<Decoded> {
    const { read_bytes: readBytes } = this.#options
    const chunks = inflatedChunks(descriptor, this.#path, { ...form, readBytes, end: this.#end })
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) {
        const target = decoder.reserve(Math.min(chunk.length - at, this.#options.read_bytes))
        const length = Math.min(target.length, chunk.length - at)
        target.set(chunk.subarray(at, at + length))
        at += length
        yield* decoder.commit(length, { kind: 'delimited' })
      }
    }
  }

  #item(decoded: Decoded, identity: FileIdentity): SourceItem {
    const next = formatOffset({ identity, byte: decoded.next.byte, row: decoded.next.ordinal })
    const facts = { source: `file:${this.#path}`, file: this.#path }
    const batch = decoded.batch === undefined ? undefined : this.#system.add(decoded.batch, facts)
    return { kind: 'batch', batch, next, rejects: decoded.rejects }
  }

  #open(): number {
    try {
      this.#descriptor = openSync(this.#path, 'r')
    } catch (error) {
      throw fileError('open', `cannot read "${this.#path}"`, error)
    }
    return this.#descriptor
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
    this.#decoder?.[Symbol.dispose]()
    this.#decoder = undefined
    this.#system[Symbol.dispose]()
  }
}

/** Formats whose first record names the columns. */
const HEADED: ReadonlySet<string> = new Set(['csv', 'tsv'])
const TURN_BYTES = 8 * 1024 * 1024
