import { HeadraceError } from '../../../core/errors.ts'
import type { Codec } from '../../../formats/compression.ts'
import { formatOfPath } from '../../../formats/detect.ts'
import type { Offset, SourceContext, SourceItem, SplitReader } from '../../contract.ts'
import type { FileOptions } from '../options.ts'
import { FileRows, type RowPosition } from './file-rows.ts'
import { beginsWith, formatOffset, identify, inodeOf, parseOffset } from './identity.ts'
import { type FileInput, inflatedChunks, inspectInput, readAt } from './input.ts'
import type { Pulse } from './pulse.ts'
import type { TrackedFile } from './tracked-file.ts'
import { Turns, turnOfEventLoop } from './turns.ts'
import type { WatchedFiles } from './watched-files.ts'

/** Formats whose records end with a line. */
const LINES: ReadonlySet<string> = new Set(['jsonl', 'csv', 'tsv', 'text'])
/** So many bytes tell what the content is, whole lines or not. */
const HEAD_BYTES = 64 * 1024

/** Follows one file of a watched source as it grows, is renamed, cut or deleted, until nothing more can come. */
export class TailReader implements SplitReader {
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #files: WatchedFiles
  readonly #file: TrackedFile
  readonly #pulse: Pulse
  readonly #rows: FileRows
  /** What is given came from a last line without its end, by `line_timeout` or an earlier end: the end may follow. */
  #isLineOpen = false
  /** Nothing that it gave is in use, and no bytes are held back. */
  #mayRest = false

  constructor(
    context: SourceContext,
    options: FileOptions,
    of: { readonly file: TrackedFile; readonly files: WatchedFiles; readonly pulse: Pulse },
  ) {
    this.#context = context
    this.#options = options
    this.#file = of.file
    this.#files = of.files
    this.#pulse = of.pulse
    const { handle, split, path } = of.file
    this.#rows = new FileRows(context, options, { file: handle, split, path })
    handle.onEvicted = () => {
      if (this.#mayRest) this.#rows.rest()
    }
  }

  async *read(from: Offset | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const file = this.#file
    const position = this.#enter(from)
    const input = yield* this.#input(position, signal)
    if (signal.aborted) return
    if (input === undefined) {
      if (!file.cut && !this.#isReadable()) this.#files.report('file_lost', file.path)
      this.#end(position)
      return
    }
    const { descriptor } = file.handle
    const identity =
      file.identity.length === 0
        ? identify(descriptor, this.#options.fingerprint_bytes)
        : { ...file.identity, inode: inodeOf(descriptor) }
    file.identity = identity
    file.isWhole = input.codec !== undefined || input.format === 'raw'
    await this.#rows.begin(input, identity, position)
    if (file.isWhole) yield* this.#whole(input.codec, position.byte, signal)
    else yield* this.#follow(input, position.byte, signal)
  }

  /** Where to begin. A position of other bytes than are there now: what was not read of them is lost. */
  #enter(from: Offset | undefined): RowPosition {
    const file = this.#file
    if (from === undefined) return file.start
    const { identity, byte, row } = parseOffset(from)
    if (!file.cut && this.#isReadable()) {
      const isThere = beginsWith(file.handle.descriptor, identity)
      if (isThere && identity.length >= file.identity.length) file.identity = identity
      // Bytes of a packed file are counted unpacked: whether it is long enough shows when it is read.
      if (!isThere || (byte > file.size && !this.#isPacked())) this.#lose()
    }
    return { byte, row }
  }

  #lose(): void {
    this.#files.lose(this.#file)
    this.#pulse.hint()
  }

  /** What the file is, once it has bytes that tell; undefined when it can have no more. */
  async *#input(position: RowPosition, signal: AbortSignal): AsyncGenerator<SourceItem, FileInput | undefined> {
    const file = this.#file
    const { identity } = file
    let isIdle = false
    while (!signal.aborted) {
      const isReadable = !file.cut && this.#isReadable()
      if (isReadable && file.size > 0 && (this.#isTold() || this.#untilOver() <= 0)) {
        return await inspectInput(file.handle.descriptor, file.path, this.#options)
      }
      if (file.cut || this.#untilOver() <= 0) return undefined
      if (isReadable && !isIdle) {
        yield { kind: 'idle', next: formatOffset({ identity, ...position }) }
        isIdle = true
      }
      await this.#pulse.wait(signal, this.#untilOver())
    }
    return undefined
  }

  /** Whether name, options or a whole line tell the format. */
  #isTold(): boolean {
    const { handle, path, size } = this.#file
    if (this.#options.format !== 'auto' || formatOfPath(path) !== undefined || size >= HEAD_BYTES) return true
    const head = new Uint8Array(size)
    return head.subarray(0, readAt(handle.descriptor, head, 0, path)).includes(10) || this.#isPacked()
  }

  #isPacked(): boolean {
    const { handle, path } = this.#file
    return this.#files.isPacked(handle.descriptor, path)
  }

  async *#follow(input: FileInput, start: number, signal: AbortSignal): AsyncIterable<SourceItem> {
    const file = this.#file
    const rows = this.#rows
    const isLines = LINES.has(input.format) && this.#options.encoding === 'utf-8'
    const turns = new Turns()
    let at = start
    let isIdle = false
    if (isLines && at > 0) this.#isLineOpen = !this.#isBehindLine(at)
    file.readTo = at
    for (;;) {
      while (!file.cut && this.#isReadable()) {
        if (this.#isLineOpen) at = this.#passLineEnd(at)
        file.readTo = at
        for (const item of rows.take(at, this.#options.read_bytes)) {
          if (signal.aborted) return
          isIdle = false
          yield item
        }
        if (rows.taken === 0) break
        at += rows.taken
        file.readTo = at
        file.identity = rows.identity
        if (turns.isDue(rows.taken)) await turnOfEventLoop()
        if (signal.aborted) return
      }
      if (file.cut || this.#isOver() || (this.#untilOver() <= 0 && !this.#isReadable())) {
        yield* rows.finish()
        if (signal.aborted) return
        this.#end({ byte: Math.max(at, rows.position.byte), row: rows.position.row })
        return
      }
      const isHeldBack = isLines && at > rows.position.byte
      if (isHeldBack && this.#lineLeft() <= 0) {
        for (const item of rows.finish()) {
          if (signal.aborted) return
          isIdle = false
          yield item
        }
        rows.seek({ byte: at, row: rows.position.row })
        this.#isLineOpen = true
        continue
      }
      if (!isIdle) yield { kind: 'idle', next: rows.next }
      isIdle = true
      this.#mayRest = at === rows.position.byte
      const left = isHeldBack ? this.#lineLeft() : Number.POSITIVE_INFINITY
      await this.#until(() => file.size > at || (isHeldBack && this.#lineLeft() <= 0), signal, left)
      this.#mayRest = false
      if (signal.aborted) return
      rows.movedTo(file.identity.inode)
      if (!file.cut && this.#isReadable()) await rows.wake()
    }
  }

  /** A file that is read once: when it did not grow from one look to the next. */
  async *#whole(codec: Codec | undefined, skip: number, signal: AbortSignal): AsyncIterable<SourceItem> {
    const file = this.#file
    const rows = this.#rows
    for (let size = -1; size !== file.size && !file.cut && !this.#isOver(); ) {
      size = file.size
      await this.#pulse.wait(signal)
      if (signal.aborted) return
    }
    const end = file.size
    try {
      for await (const item of this.#wholeItems(codec, { skip, end })) {
        if (signal.aborted) return
        yield item
      }
    } catch (error) {
      // It was replaced meanwhile: what is there now is read as a file of its own.
      if (!file.cut) throw error
    }
    if (signal.aborted) return
    yield* rows.finish()
    this.#end({ byte: end, row: rows.position.row })
  }

  async *#wholeItems(
    codec: Codec | undefined,
    { skip, end }: { readonly skip: number; readonly end: number },
  ): AsyncIterable<SourceItem> {
    const file = this.#file
    const rows = this.#rows
    const { read_bytes: readBytes } = this.#options
    if (codec === undefined) {
      for (let at = skip; at < end; at += rows.taken) {
        yield* rows.take(at, Math.min(readBytes, end - at))
        if (rows.taken === 0) return
      }
      return
    }
    for await (const chunk of inflatedChunks(file.handle, file.path, { codec, skip, readBytes, end })) {
      yield* rows.put(chunk)
    }
  }

  async #until(isDue: () => boolean, signal: AbortSignal, mostMs: number): Promise<void> {
    const file = this.#file
    do {
      await this.#pulse.wait(signal, Math.min(mostMs, this.#untilOver()))
    } while (!signal.aborted && !file.cut && !this.#isOver() && !isDue())
  }

  /** It is at its path no more, all of it was read, and it did not grow for `rotate_wait`. */
  #isOver(): boolean {
    const { awayMs, readTo, size } = this.#file
    return awayMs !== undefined && readTo >= size && this.#untilOver() <= 0
  }

  /** Time until a file that is away is over. */
  #untilOver(): number {
    const { awayMs, quietMs } = this.#file
    if (awayMs === undefined) return Number.POSITIVE_INFINITY
    return Math.max(awayMs, quietMs) + this.#options.rotate_wait - this.#context.clock.elapsedMs()
  }

  /** Time until an unfinished last line is given. */
  #lineLeft(): number {
    const { line_timeout: timeout } = this.#options
    if (timeout === undefined) return Number.POSITIVE_INFINITY
    return this.#file.quietMs + timeout - this.#context.clock.elapsedMs()
  }

  /** False when the file has no name any more and is not open: nothing more of it can be had. */
  #isReadable(): boolean {
    const file = this.#file
    if (file.handle.isOpen) return true
    if (file.at === undefined) return false
    try {
      return file.handle.descriptor >= 0
    } catch (error) {
      const isGone =
        error instanceof HeadraceError &&
        (error.code === 'connector_not_found' || error.code === 'connector_incarnation_changed')
      if (isGone) return false
      throw error
    }
  }

  #isBehindLine(at: number): boolean {
    const byte = new Uint8Array(1)
    readAt(this.#file.handle.descriptor, byte, at - 1, this.#file.path)
    return byte[0] === 10 || byte[0] === 13
  }

  /** Passes over the end of a line that was given before it came. */
  #passLineEnd(from: number): number {
    const bytes = new Uint8Array(2)
    const length = readAt(this.#file.handle.descriptor, bytes, from, this.#file.path)
    if (length === 0) return from
    const end = bytes[0] === 10 ? 1 : bytes[0] === 13 ? (bytes[1] === 10 ? 2 : 1) : 0
    // The line feed may still come behind the carriage return.
    this.#isLineOpen = bytes[0] === 13 && length === 1
    if (end > 0) this.#rows.seek({ byte: from + end, row: this.#rows.position.row })
    return from + end
  }

  #end(position: RowPosition): void {
    const file = this.#file
    if (!file.cut && file.size > file.readTo && !file.isWhole) this.#files.report('file_lost', file.path)
    this.#files.end(file, position)
    this.#pulse.wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#file.handle.onEvicted = undefined
    this.#file.handle.close()
    this.#rows[Symbol.dispose]()
  }
}
