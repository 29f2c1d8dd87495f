import { closeSync, openSync } from 'node:fs'
import type { SourceContext, SplitEvent } from '../../contract.ts'
import { statOf } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { decodeState, encodeState, type KnownFile } from './file-state.ts'
import { beginsWith, identify, NO_BYTES } from './identity.ts'
import { isLiteral, listFiles } from './list-files.ts'
import { isOldEnough, waitForFiles } from './wait-for-files.ts'

/** The files of a bounded read and their ends, fixed when they are found and kept across restarts (rulings 47). */
export class BoundedFiles {
  readonly #context: SourceContext
  readonly #options: FileOptions
  readonly #path: string
  readonly #files = new Map<string, KnownFile>()
  readonly #literal: boolean
  /** Those that come from an earlier run. */
  readonly #restored: ReadonlySet<string>
  #isListed: boolean
  /** The files that are there now, where others are remembered, too. */
  #listed: readonly string[] | undefined

  constructor(context: SourceContext, options: FileOptions, path: string) {
    this.#context = context
    this.#options = options
    this.#path = path
    const state = context.state === undefined ? undefined : decodeState(context.state, 'bounded', path)
    this.#literal = state?.literal ?? isLiteral(path)
    this.#restored = new Set(state?.files.map(({ split }) => split))
    this.#isListed = state !== undefined && context.again !== true
    for (const file of state?.files ?? []) this.#files.set(file.split, file)
  }

  async *splits(signal: AbortSignal): AsyncIterable<SplitEvent> {
    if (!this.#isListed) await this.#list(signal)
    if (signal.aborted) return
    for (const split of this.#listed ?? this.#files.keys()) yield { kind: 'added', split: { id: split } }
    yield { kind: 'complete' }
  }

  /** A split's file; one that was not listed is taken as it is now. */
  file(split: string): { readonly known: KnownFile | undefined; readonly restored: boolean } {
    return { known: this.#files.get(split), restored: this.#restored.has(split) }
  }

  /** The first time that it is asked for, the first bytes of files that no reader has opened are looked at. */
  state(): Uint8Array | undefined {
    if (!this.#isListed) return undefined
    for (const [split, file] of this.#files) {
      if (file.identity.length === 0 && (file.end ?? 0) > 0) this.#files.set(split, withFirstBytes(file, this.#options))
    }
    return encodeState({ kind: 'bounded', literal: this.#literal, files: [...this.#files.values()] })
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context
    const { wait, retry_interval } = this.#options
    const found = await waitForFiles(() => listFiles(this.#path, this.#options), {
      wait,
      retry_interval,
      clock,
      signal,
    })
    const listed: string[] = []
    for (const path of found ?? []) {
      const stat = statOf(path, 'read')
      if (stat !== undefined && !isOldEnough(stat.mtimeMs, this.#options.min_age, clock)) continue
      // Files that the system makes up have no size; they are read to their end.
      const end = stat === undefined || stat.size === 0 ? undefined : stat.size
      const known = this.#files.get(path)
      const identity = known?.identity ?? { inode: String(stat?.ino ?? 0), length: 0, crc: NO_BYTES }
      this.#files.set(path, { split: path, path, identity, end })
      listed.push(path)
    }
    this.#listed = listed
    this.#isListed = !signal.aborted
  }
}

/** With the fingerprint of what is there now, if it still is that file. */
function withFirstBytes(file: KnownFile, options: FileOptions): KnownFile {
  let descriptor: number
  try {
    descriptor = openSync(file.path, 'r')
  } catch {
    return file
  }
  try {
    const identity = identify(descriptor, Math.min(options.fingerprint_bytes, file.end!))
    const same = identity.inode === file.identity.inode && beginsWith(descriptor, identity)
    return same ? { ...file, identity } : file
  } finally {
    closeSync(descriptor)
  }
}
