import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type SystemFiles, systemCode, systemFiles } from '../core/system-files.ts'
import { BaseBatchSource, type BatchSourceOptions } from './base-source.ts'
import { decodeBatch } from './decode.ts'
import { DatastreamError } from './errors.ts'
import { numberOfText, ZERO_32 } from './numbers.ts'
import { type BatchItem, batchStream } from './source.ts'
import { type Batch, Checkpoint, SourceMetadata } from './types.ts'

export interface FilesystemSourceConfig extends BatchSourceOptions {
  /** A folder; each file in it holds one batch. */
  readonly path: string | URL
  /** Default `json`. */
  readonly fileExtension?: string | undefined
  readonly files?: SystemFiles | undefined
}

interface Listed {
  readonly name: string
  readonly number: bigint
}

/** Files read for one answer at most, and the size at which it ends. */
const ANSWER_FILES = 64
const ANSWER_BYTES = 16 * 1024 * 1024
/** A larger file holds no batch: it is not read. */
const FILE_BYTES_MAX = 64 * 1024 * 1024

/**
 * Batches in files of a folder, by number: the first integer of the name, else that of the content. Only files at or
 * behind the position are opened; new ones are picked up when the known ones have been read. A file that holds no batch
 * fails `next()` until it is repaired; `fetchBatchStream` gives it as an error and goes on behind it.
 */
export class FilesystemBatchSource extends BaseBatchSource {
  readonly path: string
  readonly #extension: string
  readonly #files: SystemFiles
  #listing: readonly Listed[] = []
  /** Numbers of files whose name has none, by name. */
  #unnamed = new Map<string, bigint>()
  /** Files whose name has no number and that hold no batch, already told of as error items. */
  readonly #told = new Set<string>()

  constructor(config: FilesystemSourceConfig) {
    super(config)
    const { path, fileExtension = 'json', files = systemFiles } = config
    this.path = resolve(path instanceof URL ? fileURLToPath(path) : path)
    this.#extension = `.${fileExtension.replace(/^\./, '')}`
    this.#files = files
    if (this.#extension === '.rlp') throw new DatastreamError('ConfigError', 'fileExtension: rlp is not built yet')
  }

  override label(): string {
    return this.path
  }

  protected async fetch(from: bigint | undefined): Promise<readonly Batch[]> {
    let listed = this.#behind(from)
    // A hole may have been filled since, and nobody knows where the beginning is.
    if (from === undefined || listed[0]?.number !== from) {
      await this.#list()
      listed = this.#behind(from)
    }
    const batches: Batch[] = []
    let bytes = 0
    for (const file of listed) {
      if (batches.length === ANSWER_FILES || bytes > ANSWER_BYTES) break
      try {
        const { batch, size } = await this.#read(file.name, file.number)
        batches.push(batch)
        bytes += size
      } catch (error) {
        // What lies before it comes first.
        if (batches.length > 0) break
        throw error
      }
    }
    return batches
  }

  /** At most an answer's worth. */
  #behind(from: bigint | undefined): readonly Listed[] {
    if (from === undefined) return this.#listing.slice(0, ANSWER_FILES)
    let low = 0
    for (let high = this.#listing.length; low < high; ) {
      const middle = (low + high) >> 1
      if (this.#listing[middle]!.number < from) low = middle + 1
      else high = middle
    }
    return this.#listing.slice(low, low + ANSWER_FILES)
  }

  async #list(): Promise<void> {
    const listing: Listed[] = []
    for (const name of await this.#io(this.#files.readdir(this.path), this.path)) {
      if (!name.endsWith(this.#extension) || name.startsWith('.') || this.#told.has(name)) continue
      const digits = /\d+/.exec(name)?.[0]
      const number = digits === undefined ? await this.#numberInside(name) : numberOfText(digits)
      if (number !== undefined) listing.push({ name, number })
    }
    this.#listing = listing.sort((a, b) =>
      a.number < b.number ? -1 : a.number > b.number ? 1 : a.name < b.name ? -1 : 1,
    )
  }

  async #numberInside(name: string): Promise<bigint> {
    let number = this.#unnamed.get(name)
    if (number === undefined) {
      number = (await this.#read(name, undefined)).batch.id.number
      this.#unnamed.set(name, number)
    }
    return number
  }

  async #read(name: string, number: bigint | undefined): Promise<{ readonly batch: Batch; readonly size: number }> {
    const path = join(this.path, name)
    const { size } = await this.#io(this.#files.facts(path), path)
    let batch: Batch
    try {
      if (size > FILE_BYTES_MAX) throw new Error(`${size} bytes are more than ${FILE_BYTES_MAX}`)
      const bytes = await this.#io(this.#files.read(path), path)
      batch = decodeBatch(Buffer.from(bytes).toString('utf8'))
    } catch (error) {
      if (error instanceof DatastreamError && error.kind === 'IoError') throw error
      const why = error instanceof Error ? error.message : String(error)
      const text = `"${path}": ${why}`
      const details = { file: name }
      throw new DatastreamError('DeserializationError', text, { cause: error, batchNumber: number, details })
    }
    if (number !== undefined && batch.id.number !== number && /\d/.test(name)) {
      const text = `"${path}": the name says batch ${number}, the file holds ${batch.id.number}`
      throw new DatastreamError('DeserializationError', text, { batchNumber: number, path: 'id.number' })
    }
    return { batch, size }
  }

  async #io<T>(task: Promise<T>, path: string): Promise<T> {
    try {
      return await task
    } catch (error) {
      throw new DatastreamError('IoError', `"${path}": ${systemCode(error) ?? String(error)}`, { cause: error })
    }
  }

  protected override async check(): Promise<void> {
    const facts = await this.#io(this.#files.facts(this.path), this.path)
    if (!facts.isDirectory) throw new DatastreamError('IoError', `"${this.path}" is no folder`)
  }

  override async metadata(): Promise<SourceMetadata> {
    return new SourceMetadata('Filesystem Batch Source', '1.0', `file://${this.path}`, true)
  }

  override async *fetchBatchStream(start?: bigint | number): AsyncGenerator<BatchItem, void, undefined> {
    for await (const item of batchStream(this, start, { pollInterval: this.pollIntervalMs, clock: this.clock })) {
      if (!item.ok && item.error.kind === 'DeserializationError') {
        const { batchNumber, details } = item.error
        if (batchNumber === undefined) this.#told.add(String(details?.['file']))
        else await this.setCheckpoint(new Checkpoint(batchNumber, ZERO_32, 0n, 0n))
      }
      yield item
    }
  }
}
