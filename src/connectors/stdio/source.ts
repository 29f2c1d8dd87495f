import type { Decoded, Decoder } from '../../formats/decoder.ts'
import type { Health, Source, SourceContext, SourceItem, SplitEvent, SplitReader } from '../contract.ts'
import { SystemColumns } from '../system-columns.ts'
import type { StdioOptions } from './options.ts'
import { stdinFormat } from './parts/discover.ts'
import { stdinHead } from './parts/stdin-head.ts'

/** Standard input: one split, read once, without positions to come back to. */
export class StdinSource implements Source {
  readonly #context: SourceContext

  constructor(context: SourceContext) {
    this.#context = context
  }

  incarnation(): Promise<string> {
    return Promise.resolve('stdin')
  }

  async *splits(): AsyncIterable<SplitEvent> {
    yield { kind: 'added', split: { id: 'stdin' } }
    yield { kind: 'complete' }
  }

  open(): SplitReader {
    return new StdinReader(this.#context)
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class StdinReader implements SplitReader {
  readonly #context: SourceContext
  readonly #system: SystemColumns
  #decoder: Decoder | undefined

  constructor(context: SourceContext) {
    this.#context = context
    const { schema, systemColumns, batchRows: capacity, memory } = context
    this.#system = new SystemColumns(schema, systemColumns, { capacity, memory })
  }

  async *read(_from: string | undefined, signal: AbortSignal): AsyncIterable<SourceItem> {
    const head = stdinHead(this.#context.shared)
    const decoder = this.#context.decoder('stdin', stdinFormat(this.#context.options as StdioOptions, head))
    this.#decoder = decoder
    const stop = () => process.stdin.destroy()
    signal.addEventListener('abort', stop, { once: true })
    try {
      for (const chunk of head.chunks) yield* this.#pieces(decoder, chunk)
      if (!head.ended) {
        for await (const chunk of process.stdin as AsyncIterable<Buffer>) yield* this.#pieces(decoder, chunk)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
    for (const decoded of decoder.finish()) yield this.#item(decoded)
  }

  *#pieces(decoder: Decoder, chunk: Uint8Array): Iterable<SourceItem> {
    for (let at = 0; at < chunk.length; ) {
      const room = decoder.reserve(1)
      const length = Math.min(room.length, chunk.length - at)
      room.set(chunk.subarray(at, at + length))
      at += length
      for (const decoded of decoder.commit(length, { kind: 'delimited' })) yield this.#item(decoded)
    }
  }

  #item(decoded: Decoded): SourceItem {
    const batch = decoded.batch === undefined ? undefined : this.#system.add(decoded.batch, { source: 'stdin:' })
    return { kind: 'batch', batch, next: `i1:${decoded.next.byte}:${decoded.next.ordinal}`, rejects: decoded.rejects }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#system[Symbol.dispose]()
    this.#decoder?.[Symbol.dispose]()
    this.#decoder = undefined
  }
}
