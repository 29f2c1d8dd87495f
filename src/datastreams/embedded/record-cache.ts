import { closeSync, openSync, readSync } from 'node:fs'
import { type Checksum, decodeFrame, FRAME_HEADER, PAYLOAD_MAX } from '../../log/frame.ts'
import { corrupt } from '../../log/segment.ts'
import type { BlockPlace } from './block-index.ts'
import { ByteReader } from './bytes.ts'
import { type BlockHead, BlockView, readHead } from './frame-codec.ts'

const CACHE_BYTES = 16 * 1024 * 1024
/** Small records take more than their bytes. */
const RECORDS_MAX = 8192
const FILES_MAX = 64
const VIEWS_MAX = 64

/** Payloads of records by their place: the newest ones, and those that were read last. Each is checked when it is read. */
export class RecordCache {
  readonly #pathOf: (segment: number) => string
  readonly #checksum: Checksum
  readonly #records = new Map<number, Uint8Array>()
  readonly #files = new Map<number, number>()
  readonly #views = new Map<string, BlockView>()
  readonly #most: number
  #bytes = 0

  constructor(pathOf: (segment: number) => string, checksum: Checksum, most: number = CACHE_BYTES) {
    this.#pathOf = pathOf
    this.#checksum = checksum
    this.#most = most
  }

  put(segment: number, offset: number, payload: Uint8Array): void {
    const key = keyOf(segment, offset)
    this.#remove(key)
    this.#records.set(key, payload)
    this.#bytes += payload.length
    for (const oldest of this.#records.keys()) {
      const fits = this.#bytes <= this.#most && this.#records.size <= RECORDS_MAX
      if (fits || this.#records.size === 1) return
      this.#remove(oldest)
    }
  }

  get(segment: number, offset: number): Uint8Array {
    const key = keyOf(segment, offset)
    const known = this.#records.get(key)
    if (known === undefined) {
      const payload = this.#read(segment, offset)
      this.put(segment, offset, payload)
      return payload
    }
    // Behind the others: the first one is then the one that was not needed the longest.
    this.#records.delete(key)
    this.#records.set(key, known)
    return known
  }

  /** The head of a block. */
  head({ segment, offset, inner }: BlockPlace): BlockHead {
    return readHead(new ByteReader(this.get(segment, offset), inner))
  }

  /** A block, so that its frames can be read one by one. */
  view(place: BlockPlace, accountId: string): BlockView {
    const { segment, offset, inner } = place
    const key = `${segment} ${offset} ${inner}`
    let view = this.#views.get(key)
    if (view === undefined) view = new BlockView(new ByteReader(this.get(segment, offset), inner), accountId)
    else this.#views.delete(key)
    this.#views.set(key, view)
    if (this.#views.size > VIEWS_MAX) this.#views.delete(this.#views.keys().next().value!)
    return view
  }

  /** A segment has another file now, or none. */
  forget(segment: number): void {
    for (const key of this.#records.keys()) if (Math.floor(key / OFFSETS) === segment) this.#remove(key)
    this.#views.clear()
    this.#closeFile(segment)
  }

  close(): void {
    for (const segment of [...this.#files.keys()]) this.#closeFile(segment)
    this.#records.clear()
    this.#bytes = 0
  }

  #remove(key: number): void {
    const payload = this.#records.get(key)
    if (payload === undefined) return
    this.#records.delete(key)
    this.#bytes -= payload.length
  }

  #read(segment: number, offset: number): Uint8Array {
    const file = this.#file(segment)
    const damaged = () => corrupt(this.#pathOf(segment), { number: BigInt(segment), offset })
    const header = Buffer.alloc(FRAME_HEADER)
    if (readSync(file, header, 0, FRAME_HEADER, offset) < FRAME_HEADER) throw damaged()
    const length = header.readUInt32LE(0)
    if (length === 0 || length > PAYLOAD_MAX) throw damaged()
    const bytes = Buffer.allocUnsafeSlow(FRAME_HEADER + length)
    const read = readSync(file, bytes, 0, bytes.length, offset)
    const frame = decodeFrame(bytes.subarray(0, read), 0, this.#checksum)
    if (frame === 'end' || frame === 'torn') throw damaged()
    return frame.payload
  }

  #file(segment: number): number {
    const known = this.#files.get(segment)
    if (known !== undefined) return known
    if (this.#files.size >= FILES_MAX) this.#closeFile(this.#files.keys().next().value!)
    const file = openSync(this.#pathOf(segment), 'r')
    this.#files.set(segment, file)
    return file
  }

  #closeFile(segment: number): void {
    const file = this.#files.get(segment)
    if (file === undefined) return
    this.#files.delete(segment)
    closeSync(file)
  }
}

const OFFSETS = 2 ** 32
const keyOf = (segment: number, offset: number): number => segment * OFFSETS + offset
