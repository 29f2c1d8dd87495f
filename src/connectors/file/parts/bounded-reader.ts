import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HeadraceError } from '../../../core/errors.ts'
import { type Codec, codecOfPath } from '../../../formats/compression.ts'
import type { Offset, SourceContext, SourceItem, SplitReader } from '../../contract.ts'
import { statOf } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { FileRows } from './file-rows.ts'
import type { KnownFile } from './file-state.ts'
import { Handle, type Handles } from './handles.ts'
import { beginsWith, type FileIdentity, type FilePosition, identify, inodeOf, parseOffset } from './identity.ts'
import { checkEnd, inflatedChunks, inspectInput, readAt } from './input.ts'
import { statOrNothing } from './stat-file.ts'
import { Turns, turnOfEventLoop } from './turns.ts'

const LF = 10
const CR = 13

/** Reads one file up to the end that it had when it was found. */
export class BoundedReader implements SplitReader {
  readonly #options: FileOptions
  readonly #path: string
  readonly #end: number
  /** What the file was in an earlier run, where there was one. */
  readonly #known: FileIdentity | undefined
  /** What it had at first was read to its end. */
  readonly #again: boolean
  readonly #handle: Handle
  readonly #rows: FileRows
  /** Where the file is: another name than at first when it was renamed in between. */
  #at: string

  constructor(
    context: SourceContext,
    options: FileOptions,
    of: {
      readonly split: string
      readonly known: KnownFile | undefined
      readonly restored: boolean
      readonly handles: Handles
    },
  ) {
    this.#options = options
    this.#path = of.known?.path ?? of.split
    this.#at = this.#path
    this.#end = of.known?.end ?? Number.POSITIVE_INFINITY
    this.#again = of.restored && context.again === true
    this.#known = of.restored ? of.known?.identity : undefined
    this.#handle = new Handle(of.handles, () => this.#at)
    this.#rows = new FileRows(context, options, { file: this.#handle, split: of.split, path: this.#path })
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const start = from === undefined ? undefined : parseOffset(from)
    const earlier = start?.identity ?? this.#known
    if (earlier !== undefined && !this.#find(earlier, start)) return
    const { descriptor } = this.#handle
    const identity =
      earlier === undefined
        ? identify(descriptor, Math.min(this.#options.fingerprint_bytes, this.#end))
        : { ...earlier, inode: inodeOf(descriptor) }
    const { byte, row } = start ?? { byte: 0, row: 0 }
    const rows = this.#rows
    const input = await inspectInput(descriptor, this.#path, this.#options)
    await rows.begin(input, identity, { byte, row })
    if (input.codec === undefined) {
      if (earlier !== undefined) this.#checkSize(byte)
      if (this.#again && byte > 0 && byte < this.#end) this.#checkLastLine(byte)
      // One generator between the decoder and the reader of items: this is the hot path.
      const turns = new Turns()
      for (let at = byte; at < this.#end && !signal.aborted; ) {
        for (const item of rows.take(at, Math.min(this.#options.read_bytes, this.#end - at))) {
          if (signal.aborted) return
          yield item
        }
        at += rows.taken
        if (rows.taken === 0) {
          checkEnd(this.#path, at, this.#end)
          break
        }
        if (turns.isDue(rows.taken)) await turnOfEventLoop()
      }
    } else yield* this.#inflated(input.codec, byte, signal)
    if (signal.aborted) return
    yield* rows.finish()
  }

  async *#inflated(codec: Codec, skip: number, signal: AbortSignal): AsyncIterable<SourceItem> {
    const form = { codec, skip, readBytes: this.#options.read_bytes, end: this.#end }
    for await (const chunk of inflatedChunks(this.#handle, this.#path, form)) {
      for (const item of this.#rows.put(chunk)) {
        if (signal.aborted) return
        yield item
      }
      if (signal.aborted) return
    }
  }

  /**
   * Finds the file that an earlier run read: at its path by its first bytes, or renamed in its directory by inode and
   * first bytes. False when it is gone and nothing of it was left to read.
   */
  #find(identity: FileIdentity, start: FilePosition | undefined): boolean {
    const isThere = statOf(this.#path, 'read') !== undefined
    if (isThere && beginsWith(this.#handle.descriptor, identity)) return true
    if (this.#findRenamed(identity)) return true
    if (!isThere && start?.byte === this.#end && codecOfPath(this.#path) === undefined) return false
    if (!isThere) {
      throw new HeadraceError('connector_not_found', `"${this.#path}" is gone, and was not read to its end`, {
        hint: 'Put the file back, or start anew without it.',
      })
    }
    throw changed(this.#path, 'it begins with other bytes than before')
  }

  #findRenamed(identity: FileIdentity): boolean {
    const directory = dirname(this.#path)
    let names: string[]
    try {
      names = readdirSync(directory)
    } catch {
      return false
    }
    for (const name of names) {
      const path = join(directory, name)
      const stat = statOrNothing(path)
      if (stat === undefined || !stat.isFile() || String(stat.ino) !== identity.inode) continue
      this.#at = path
      this.#handle.forget()
      if (beginsWith(this.#handle.descriptor, identity)) return true
    }
    this.#at = this.#path
    this.#handle.forget()
    return false
  }

  /** A file that is taken up again must hold what was read of it, and what was going to be. */
  #checkSize(byte: number): void {
    const size = statOf(this.#at, 'read')?.size ?? 0
    const wanted = this.#end === Number.POSITIVE_INFINITY ? byte : Math.max(byte, this.#end)
    if (size < wanted) throw changed(this.#path, `it has ${size} bytes, ${wanted} were there before`)
  }

  /** The end of a file ends its last line: what has been added to that line would be read as a line of its own. */
  #checkLastLine(byte: number): void {
    const around = new Uint8Array(2)
    readAt(this.#handle.descriptor, around, byte - 1, this.#path)
    if (around[0] === LF || around[1] === LF || around[1] === CR) return
    throw changed(this.#path, `its last line was not whole at byte ${byte} and has been gone on with`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handle.close()
    this.#rows[Symbol.dispose]()
  }
}

const changed = (path: string, what: string): HeadraceError =>
  new HeadraceError('connector_incarnation_changed', `"${path}" is not the file that was read before: ${what}`, {
    hint: 'Put the old file back, or start anew to read the new one from its beginning.',
  })
