import type { Health, Source, SourceContext, SplitEvent, SplitReader } from '../contract.ts'
import type { FileOptions } from './options.ts'
import { BoundedFiles } from './parts/bounded-files.ts'
import { BoundedReader } from './parts/bounded-reader.ts'
import { Handles } from './parts/handles.ts'
import { pathOf } from './parts/list-files.ts'

/** A bounded read of files: each file is a split, up to the end that it had when it was found. */
export class FileSource implements Source {
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #path: string
  readonly #files: BoundedFiles
  readonly #handles: Handles

  constructor(context: SourceContext) {
    this.#context = context
    this.#options = context.options as FileOptions
    this.#path = pathOf(context.uri, context.baseDirectory)
    this.#files = new BoundedFiles(context, this.#options, this.#path)
    this.#handles = new Handles(this.#options.read_files_max)
  }

  incarnation(): Promise<string> {
    return Promise.resolve(`file:${this.#path}`)
  }

  splits(signal: AbortSignal): AsyncIterable<SplitEvent> {
    return this.#files.splits(signal)
  }

  open(split: string): SplitReader {
    const handles = this.#handles
    return new BoundedReader(this.#context, this.#options, { split, ...this.#files.file(split), handles })
  }

  state(): Uint8Array | undefined {
    return this.#files.state()
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handles[Symbol.dispose]()
  }
}
