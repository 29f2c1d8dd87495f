import { HeadraceError } from '../../core/errors.ts'
import type { Health, Source, SourceContext, SplitEvent, SplitReader } from '../contract.ts'
import type { FileOptions } from './options.ts'
import { BoundedFiles } from './parts/bounded-files.ts'
import { BoundedReader } from './parts/bounded-reader.ts'
import { Handles } from './parts/handles.ts'
import { pathOf } from './parts/list-files.ts'
import { WatchedSource } from './parts/watched-source.ts'

const WATCH_ONLY = [
  'start',
  'watch_strategy',
  'poll_interval',
  'poll_fallback',
  'rotation_pattern',
  'rotate_wait',
  'line_timeout',
] as const

/** Bounded, or watching by option. */
export function openFileSource(context: SourceContext): Source {
  const options = context.options as FileOptions
  const path = pathOf(context.uri, context.baseDirectory)
  const useless = WATCH_ONLY.find((name) => Object.hasOwn(options, name))
  if (!options.watch && useless !== undefined) {
    throw new HeadraceError('connector_option_conflict', `option "${useless}" is of a watched source`, {
      hint: 'Set watch = true, or remove it.',
    })
  }
  if (!options.watch) return new FileSource(context, options, path)
  if (options.watch_strategy === 'events') {
    throw new HeadraceError('not_implemented', 'watch_strategy = events is not built: events get lost', {
      hint: 'hybrid listens to events and looks at the files as well',
    })
  }
  return new WatchedSource(context, options, path)
}

/** A bounded read of files: each file is a split, up to the end that it had when it was found. */
class FileSource implements Source {
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #path: string
  readonly #files: BoundedFiles
  readonly #handles: Handles

  constructor(context: SourceContext, options: FileOptions, path: string) {
    this.#context = context
    this.#options = options
    this.#path = path
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
