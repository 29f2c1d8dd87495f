import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Batch } from '../../core/batch.ts'
import { HeadraceError } from '../../core/errors.ts'
import { formatOfPath } from '../../formats/detect.ts'
import type { Encoder } from '../../formats/encoder.ts'
import type { Health, Sink, SinkContext, SinkReject } from '../contract.ts'
import { fileError } from './client.ts'
import type { FileOptions } from './options.ts'
import { compressorFor } from './parts/compressor.ts'
import { hasGlob, pathOf } from './parts/list-files.ts'

const NONE: readonly SinkReject[] = []

/**
 * One plain path written by a bounded pipeline (rulings 67): rows go to a temporary file beside the target, which is
 * renamed over it once, at the end. On failure the old file stays and the temporary one goes.
 */
export class FileSink implements Sink {
  readonly #path: string
  readonly #temporary: string
  readonly #options: FileOptions
  readonly #encoder: Encoder
  readonly #compress: (bytes: Uint8Array) => Uint8Array
  #descriptor: number | undefined
  #published = false

  constructor(context: SinkContext) {
    this.#options = context.options as FileOptions
    this.#path = pathOf(context.uri, context.baseDirectory)
    refuseUnbuilt(this.#path, context, this.#options)
    const format = this.#options.format === 'auto' ? (formatOfPath(this.#path) ?? 'jsonl') : this.#options.format
    this.#encoder = context.encoder(format)
    this.#compress = compressorFor(this.#path, this.#options.compression)
    const tag = `${context.pipeline ?? 'query'}-${context.writer}-${context.incarnation}-${process.pid}`
    this.#temporary = join(dirname(this.#path), `.headrace-${tag}-${basename(this.#path)}`)
    this.#create()
  }

  #create(): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true })
      rmSync(this.#temporary, { force: true })
      this.#descriptor = openSync(this.#temporary, 'wx')
    } catch (error) {
      throw fileError('open', `cannot write "${this.#path}"`, error)
    }
    const header = this.#encoder.header()
    if (header.length > 0) this.#append(header)
  }

  write(batch: Batch): Promise<readonly SinkReject[]> {
    try {
      this.#append(this.#encoder.encode(batch))
    } catch (error) {
      return Promise.reject(error)
    }
    return DONE
  }

  #append(bytes: Uint8Array): void {
    const packed = this.#compress(bytes)
    let written = 0
    try {
      while (written < packed.length) {
        written += writeSync(this.#descriptor!, packed, written, packed.length - written)
      }
    } catch (error) {
      throw fileError('open', `cannot write "${this.#path}"`, error)
    }
  }

  flush(): Promise<readonly SinkReject[]> {
    return DONE
  }

  async finish(): Promise<void> {
    const descriptor = this.#descriptor!
    this.#descriptor = undefined
    try {
      if (this.#options.fsync === 'commit') fsyncSync(descriptor)
      closeSync(descriptor)
      renameSync(this.#temporary, this.#path)
    } catch (error) {
      throw fileError('open', `cannot publish "${this.#path}"`, error)
    }
    this.#published = true
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
    if (!this.#published) rmSync(this.#temporary, { force: true })
    this.#encoder[Symbol.dispose]()
  }
}

const DONE: Promise<readonly SinkReject[]> = Promise.resolve(NONE)

function refuseUnbuilt(path: string, context: SinkContext, options: FileOptions): void {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (path.endsWith('/') || stat?.isDirectory() === true || hasGlob(path)) {
    throw new HeadraceError('not_implemented', `a directory or template as file sink is not built yet: "${path}"`, {
      hint: 'name one plain file',
    })
  }
  if (options.write_mode === 'append') {
    throw new HeadraceError('not_implemented', "write_mode = 'append' is not built yet", {
      hint: 'a bounded pipeline may use overwrite',
    })
  }
  if (options.write_mode === 'create' && stat !== undefined) {
    throw new HeadraceError('target_exists', `"${path}" exists`, {
      hint: "write_mode = 'overwrite' replaces it",
    })
  }
  if (!context.bounded) {
    throw new HeadraceError('not_implemented', `an endless pipeline cannot write the plain file "${path}" yet`, {
      hint: 'write to stdout: or use a bounded source',
    })
  }
}
