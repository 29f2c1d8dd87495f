import type { Codec } from '../../../formats/compression.ts'
import type { Decoded, Decoder } from '../../../formats/decoder.ts'
import type { SourceContext, SourceItem } from '../../contract.ts'
import { SystemColumns } from '../../system-columns.ts'
import type { FileOptions } from '../options.ts'
import { extendIdentity, type FileIdentity, formatOffset } from './identity.ts'
import { type FileInput, inflatedChunks, type OpenFile, readAt } from './input.ts'

/** Uncompressed byte and row that follow. */
export interface RowPosition {
  readonly byte: number
  readonly row: number
}

/** Formats whose first record names or counts the columns. */
const HEADED: ReadonlySet<string> = new Set(['csv', 'tsv'])
const DELIMITED = { kind: 'delimited' } as const

/**
 * The bytes of one file as items: its decoder, its system columns, and positions that carry its identity. Whoever holds
 * it says which bytes come next.
 */
export class FileRows implements Disposable {
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #file: OpenFile
  readonly #split: string
  readonly #path: string
  #system: SystemColumns | undefined
  #input: FileInput | undefined
  #decoder: Decoder | undefined
  #identity: FileIdentity | undefined
  /** Bytes that the identity may cover by now. */
  #covers = 0
  /** Rows before this one were given by an earlier reader. */
  #first = 0
  #position: RowPosition = { byte: 0, row: 0 }
  /** Bytes that the last `take` found. */
  taken = 0

  /** `path`: what the rows say they come from; messages name it, too. */
  constructor(
    context: SourceContext,
    options: FileOptions,
    of: { readonly file: OpenFile; readonly split: string; readonly path: string },
  ) {
    this.#context = context
    this.#options = options
    this.#file = of.file
    this.#split = of.split
    this.#path = of.path
  }

  /** What follows the items that were given. */
  get position(): RowPosition {
    return this.#position
  }

  get identity(): FileIdentity {
    return this.#identity!
  }

  /** The same bytes are in another file now. */
  movedTo(inode: string): void {
    if (this.#identity!.inode !== inode) this.#identity = { ...this.#identity!, inode }
  }

  /** The position as an offset. */
  get next(): string {
    return this.#offset(this.#position)
  }

  /** Once, before anything else: the next byte to be given is `position.byte`. */
  async begin(input: FileInput, identity: FileIdentity, position: RowPosition): Promise<void> {
    const { schema, systemColumns, batchRows: capacity, memory } = this.#context
    const decoder = this.#context.decoder(this.#split, input.format)
    this.#decoder = decoder
    this.#system = new SystemColumns(schema, systemColumns, { capacity, memory })
    this.#input = input
    this.#identity = identity
    this.#covers = input.codec === undefined ? this.#options.fingerprint_bytes : identity.length
    if (position.byte > 0 && HEADED.has(input.format)) await this.#readHeader(decoder, input.codec, position.byte)
    this.#first = position.row
    this.seek(position)
  }

  /** Gives its memory back, when nothing that it gave is in use; `wake` comes before anything else. */
  rest(): void {
    this.#decoder?.[Symbol.dispose]()
    this.#decoder = undefined
    this.#system?.[Symbol.dispose]()
    this.#system = undefined
  }

  /** Goes on after `rest`; a record that was not whole is read again. */
  async wake(): Promise<void> {
    if (this.#decoder === undefined) await this.begin(this.#input!, this.#identity!, this.#position)
  }

  /** Drops a record that is not whole; goes on from there. */
  seek(position: RowPosition): void {
    this.#position = position
    this.#decoder!.seek({ byte: position.byte, ordinal: position.row })
  }

  /** The whole records up to what the file holds at byte `at`, `most` bytes of it, read straight into the slab. */
  *take(at: number, most: number): Generator<SourceItem> {
    const decoder = this.#decoder!
    const { descriptor } = this.#file
    const length = readAt(descriptor, decoder.reserve(most).subarray(0, most), at, this.#path)
    this.taken = length
    if (length === 0) return
    this.#extend(descriptor, at + length)
    for (const decoded of decoder.commit(length, DELIMITED)) if (this.#isNew(decoded)) yield this.#item(decoded)
  }

  /** The whole records up to the end of `chunk`: bytes that were inflated. */
  *put(chunk: Uint8Array): Generator<SourceItem> {
    const decoder = this.#decoder!
    for (const length of fill(decoder, chunk, this.#options.read_bytes)) {
      for (const decoded of decoder.commit(length, DELIMITED)) if (this.#isNew(decoded)) yield this.#item(decoded)
    }
  }

  /** The last record, which nothing ends. */
  *finish(): Generator<SourceItem> {
    if (this.#decoder === undefined) return
    for (const decoded of this.#decoder!.finish()) if (this.#isNew(decoded)) yield this.#item(decoded)
  }

  /** A format without positions of its own is read from its start: its decoder passes over rows, but not over damage. */
  #isNew({ next }: Decoded): boolean {
    return next.ordinal > this.#first
  }

  #item({ batch, rejects, next }: Decoded): SourceItem {
    this.#position = { byte: next.byte, row: next.ordinal }
    const facts = { source: `file:${this.#path}`, file: this.#path }
    const rows = batch === undefined ? undefined : this.#system!.add(batch, facts)
    return { kind: 'batch', batch: rows, next: this.#offset(this.#position), rejects }
  }

  #offset(position: RowPosition): string {
    return formatOffset({ identity: this.#identity!, ...position })
  }

  /** A file that was short when it was first seen gets a longer fingerprint as it grows. */
  #extend(descriptor: number, end: number): void {
    const identity = this.#identity!
    if (identity.length >= this.#covers || end <= identity.length) return
    this.#identity = extendIdentity(descriptor, identity, Math.min(this.#covers, end))
  }

  /** A file that is entered in the middle still has its header at the start, or the record that counts its columns. */
  async #readHeader(decoder: Decoder, codec: Codec | undefined, before: number): Promise<void> {
    decoder.seek({ byte: 0, ordinal: 0 })
    const isKnown = (decoded: Decoded): boolean => decoded.batch !== undefined || decoded.next.byte >= before
    const { read_bytes: readBytes } = this.#options
    if (codec === undefined) {
      // Beyond `before`, too: a decoder looks at more than two bytes before it takes the first record.
      for (let at = 0; ; ) {
        const room = decoder.reserve(readBytes).subarray(0, readBytes)
        const length = readAt(this.#file.descriptor, room, at, this.#path)
        if (length === 0) return
        at += length
        for (const decoded of decoder.commit(length, DELIMITED)) if (isKnown(decoded)) return
      }
    }
    const form = { codec, skip: 0, readBytes, end: Number.POSITIVE_INFINITY }
    for await (const chunk of inflatedChunks(this.#file, this.#path, form)) {
      for (const length of fill(decoder, chunk, readBytes)) {
        for (const decoded of decoder.commit(length, DELIMITED)) if (isKnown(decoded)) return
      }
    }
  }

  [Symbol.dispose](): void {
    this.rest()
  }
}

/** Copies `chunk` into the decoder piece by piece; gives the length of each, to be committed. */
function* fill(decoder: Decoder, chunk: Uint8Array, most: number): Generator<number> {
  for (let at = 0; at < chunk.length; ) {
    const target = decoder.reserve(Math.min(chunk.length - at, most))
    const length = Math.min(target.length, chunk.length - at)
    target.set(chunk.subarray(at, at + length))
    at += length
    yield length
  }
}
