import { HeadraceError } from '../../../core/errors.ts'
import type { Health, Source, SourceContext, SplitEvent, SplitReader } from '../../contract.ts'
import type { FileOptions } from '../options.ts'
import { Hints } from './hints.ts'
import { directoriesOf, listFiles } from './list-files.ts'
import { Pulse } from './pulse.ts'
import { statOrNothing } from './stat-file.ts'
import { TailReader } from './tail-reader.ts'
import { waitForFiles } from './wait-for-files.ts'
import { WatchedFiles } from './watched-files.ts'

/** An endless read of files that grow, appear, and are renamed, cut and deleted. */
export class WatchedSource implements Source {
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #files: WatchedFiles
  readonly #pulse: Pulse
  readonly #hints: Hints | undefined
  #isStarted = false
  #failure: unknown

  constructor(context: SourceContext, options: FileOptions, path: string) {
    this.#context = context
    this.#options = options
    this.#files = new WatchedFiles(context, options, path)
    const { poll_interval: often, poll_fallback: seldom } = options
    this.#pulse = new Pulse(
      context.clock,
      () => this.#look(),
      () => (this.#hints?.isComplete === true ? Math.max(often, seldom) : often),
    )
    this.#hints = options.watch_strategy === 'hybrid' ? new Hints(() => this.#pulse.hint()) : undefined
  }

  incarnation(): Promise<string> {
    return Promise.resolve(`file:${this.#files.path}`)
  }

  async *splits(signal: AbortSignal): AsyncIterable<SplitEvent> {
    if (!this.#isStarted) await this.#waitForPath(signal)
    if (signal.aborted) return
    this.#start()
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      for (const event of this.#files.takeEvents()) {
        yield event
        this.#files.told(event)
      }
      if (this.#files.hasEvents) continue
      await this.#pulse.wait(signal)
      if (signal.aborted) return
    }
  }

  open(split: string): SplitReader {
    this.#start()
    if (this.#failure !== undefined) throw this.#failure
    const file = this.#files.get(split)
    if (file === undefined) {
      throw new HeadraceError('connector_not_found', `"${split}" is no split of "${this.#files.path}"`, {
        hint: 'Its file is gone, or it was found by a run whose state is not there.',
      })
    }
    return new TailReader(this.#context, this.#options, { file, files: this.#files, pulse: this.#pulse })
  }

  state(): Uint8Array | undefined {
    return this.#isStarted ? this.#files.state() : this.#context.state
  }

  async lag(split: string, at: string): Promise<{ readonly bytes?: bigint }> {
    const file = this.#files.get(split)
    const byte = /:(\d+):\d+$/.exec(at)?.[1]
    if (file === undefined || byte === undefined || file.isWhole) return {}
    return { bytes: BigInt(Math.max(0, file.size - Number(byte))) }
  }

  /** What was cut or lost is told, but the source goes on: it is healthy. */
  health(): Promise<Health> {
    const issues = this.#files.issues.map(({ code, path, times }) => ({
      code,
      detail:
        code === 'file_truncated'
          ? `"${path}" was cut or replaced while it was read, and is read from its start again: ${times} times`
          : `"${path}" went before it was read to its end: ${times} times`,
    }))
    return Promise.resolve({ state: 'healthy', issues })
  }

  /** Without a state of an earlier run, the path must be there, at once or after a while. */
  async #waitForPath(signal: AbortSignal): Promise<void> {
    if (this.#context.state !== undefined) return
    const { path, literal } = this.#files
    const { wait, retry_interval } = this.#options
    // A directory may be empty, and a glob match nothing yet.
    const list = (): string[] => (literal || directoryIsMissing(path) ? listFiles(path, this.#options) : [])
    await waitForFiles(list, { wait, retry_interval, clock: this.#context.clock, signal })
  }

  #start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    this.#look()
  }

  #look(): void {
    try {
      this.#files.look()
      this.#hints?.follow(this.#files.directories)
    } catch (error) {
      this.#failure ??= error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#pulse[Symbol.dispose]()
    this.#hints?.[Symbol.dispose]()
    this.#files.handles[Symbol.dispose]()
  }
}

function directoryIsMissing(path: string): boolean {
  const [base = path] = directoriesOf(path, [], false)
  return statOrNothing(base) === undefined
}
