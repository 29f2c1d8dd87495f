import type { Batch } from '../../core/batch.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { Encoder } from '../../formats/encoder.ts'
import type { Health, Sink, SinkContext, SinkReject } from '../contract.ts'
import type { StdioOptions } from './options.ts'
import { TableText } from './parts/table-text.ts'

const NONE: readonly SinkReject[] = []

/** Rows on standard output or standard error; waits for the reader. A closed pipe is `sink_closed`. */
export class StdioSink implements Sink {
  readonly #stream: NodeJS.WriteStream
  readonly #encoder: Encoder | undefined
  readonly #table: TableText | undefined
  #left: number
  #header: Uint8Array

  constructor(context: SinkContext) {
    const options = context.options as StdioOptions
    this.#stream = context.uri.scheme === 'stderr' ? process.stderr : process.stdout
    // A failed write is reported by its callback; without a listener the event would end the process.
    if (!this.#stream.listeners('error').includes(ignore)) this.#stream.on('error', ignore)
    this.#left = options.limit ?? Number.POSITIVE_INFINITY
    const { format } = options
    if (format === 'table' || format === 'markdown') {
      this.#table = new TableText(context.schema, {
        changes: context.changes,
        markdown: format === 'markdown',
        valueText: context.valueText,
      })
      this.#header = new Uint8Array(0)
    } else {
      this.#encoder = context.encoder(format === 'auto' ? 'jsonl' : format)
      this.#header = this.#encoder.header().slice()
    }
  }

  async write(batch: Batch): Promise<readonly SinkReject[]> {
    const rows = Math.min(batch.rows, this.#left)
    if (rows === 0) return NONE
    this.#left -= rows
    const part = rows === batch.rows ? batch : { ...batch, rows }
    if (this.#table !== undefined) {
      this.#table.add(part)
      return NONE
    }
    const bytes = this.#encoder!.encode(part)
    const out = new Uint8Array(this.#header.length + bytes.length)
    out.set(this.#header)
    out.set(bytes, this.#header.length)
    this.#header = new Uint8Array(0)
    await this.#write(out)
    return NONE
  }

  /** The bytes are the stream's own copy. */
  #write(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(bytes, (error) => {
        if (error === null || error === undefined) resolve()
        else reject(writeError(error))
      })
    })
  }

  async flush(): Promise<readonly SinkReject[]> {
    return NONE
  }

  async finish(): Promise<boolean> {
    if (this.#table !== undefined) await this.#write(this.#table.text())
    else if (this.#header.length > 0) await this.#write(this.#header)
    return true
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: this.#stream.writable ? 'healthy' : 'unhealthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#encoder?.[Symbol.dispose]()
  }
}

const ignore = (): void => undefined

function writeError(error: Error): HeadraceError {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') {
    return new HeadraceError('sink_closed', 'the reader of the output went away', { cause: error })
  }
  if (code === 'ENOSPC')
    return new HeadraceError('connector_capacity', 'cannot write the output: ENOSPC', { cause: error })
  return new HeadraceError('connector_unreachable', `cannot write the output: ${error.message}`, { cause: error })
}
