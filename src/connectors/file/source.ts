import { closeSync, openSync } from 'node:fs'
import type { Decoded, Decoder } from '../../formats/decoder.ts'
import type { Health, Offset, Source, SourceContext, SourceItem, SplitEvent, SplitReader } from '../contract.ts'
import { fileError } from './client.ts'
import type { FileOptions } from './options.ts'
import { type FileIdentity, formatOffset, identify, parseOffset } from './parts/identity.ts'
import { openInput } from './parts/input.ts'
import { listFiles, pathOf } from './parts/list-files.ts'

/** A bounded read of files: each file is a split. */
export class FileSource implements Source {
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #path: string

  constructor(context: SourceContext) {
    this.#context = context
    this.#options = context.options as FileOptions
    this.#path = pathOf(context.uri, context.baseDirectory)
  }

  incarnation(): Promise<string> {
    return Promise.resolve(`file:${this.#path}`)
  }

  async *splits(): AsyncIterable<SplitEvent> {
    for (const file of listFiles(this.#path, this.#options)) yield { kind: 'added', split: { id: file } }
    yield { kind: 'complete' }
  }

  open(splitId: string): SplitReader {
    return new FileReader(splitId, this.#context, this.#options)
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
  #descriptor: number | undefined
  #decoder: Decoder | undefined

  constructor(path: string, context: SourceContext, options: FileOptions) {
    this.#path = path
    this.#context = context
    this.#options = options
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const descriptor = this.#open()
    const start = from === undefined ? undefined : parseOffset(from)
    const identity = identify(descriptor, start?.identity.length)
    const same = start !== undefined && start.identity.crc === identity.crc
    const position = same ? { byte: start.byte, ordinal: start.row } : { byte: 0, ordinal: 0 }
    const input = openInput(descriptor, this.#path, this.#options)
    const decoder = this.#context.decoder(this.#path, input.format)
    this.#decoder = decoder
    decoder.seek(position)
    input.skipTo(position.byte)
    let sinceTurn = 0
    for (;;) {
      if (signal.aborted) return
      const length = input.read(decoder.reserve(this.#options.read_bytes))
      if (length === 0) break
      for (const decoded of decoder.commit(length, { kind: 'delimited' })) yield item(decoded, identity)
      // Reading is synchronous, for speed; a turn of the event loop every few MiB lets signals and timers in.
      sinceTurn += length
      if (sinceTurn >= TURN_BYTES) {
        sinceTurn = 0
        await new Promise(setImmediate)
      }
    }
    for (const decoded of decoder.finish()) yield item(decoded, identity)
    const fault = input.fault()
    if (fault !== undefined) throw fault
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
  }
}

const TURN_BYTES = 8 * 1024 * 1024

function item(decoded: Decoded, identity: FileIdentity): SourceItem {
  const next = formatOffset({ identity, byte: decoded.next.byte, row: decoded.next.ordinal })
  return { kind: 'batch', batch: decoded.batch, next, rejects: decoded.rejects }
}
