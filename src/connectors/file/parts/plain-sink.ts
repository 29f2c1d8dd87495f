import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Batch } from '../../../core/batch.ts'
import type { Health, Sink, SinkContext, SinkReject } from '../../contract.ts'
import { fileError, statOf } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { type OutputForm, plainForm } from './output-form.ts'
import { type Target, takePath } from './target.ts'

const NONE: readonly SinkReject[] = []

/**
 * One plain path written by a bounded pipeline (rulings 67): rows go to a temporary file beside the target, which is
 * renamed over it once, at the end. On failure the old file stays and the temporary one goes. A link is followed; a
 * pipe, a device or what the process has open already is written as it is.
 */
export class PlainSink implements Sink {
  readonly #path: string
  /** Rights of the file that is replaced. */
  readonly #mode: number | undefined
  /** Undefined when the target is no regular file. */
  readonly #temporary: string | undefined
  readonly #options: FileOptions
  readonly #form: OutputForm
  readonly #release: () => void
  #descriptor: number | undefined
  /** The descriptor is the process's own and stays open. */
  #borrowed = false
  #published = false
  #bytes = 0

  constructor(context: SinkContext, target: Target) {
    this.#options = context.options as FileOptions
    this.#path = target.path
    this.#form = plainForm(this.#path, context)
    const tag = `${context.pipeline ?? 'query'}-${context.writer}-${context.incarnation}-${process.pid}`
    this.#mode = target.stat?.mode
    this.#temporary = target.isStream
      ? undefined
      : join(dirname(this.#path), `.headrace-${tag}-${encodeURIComponent(basename(this.#path))}`.slice(0, NAME_MAX))
    this.#release = takePath(context, this.#path)
    this.#create(target.descriptor)
  }

  #create(descriptor: number | undefined): void {
    this.#borrowed = descriptor !== undefined
    try {
      if (descriptor === undefined) makeDirectory(dirname(this.#path))
      if (this.#temporary === undefined) this.#descriptor = descriptor ?? openSync(this.#path, 'w')
      else {
        rmSync(this.#temporary, { force: true })
        this.#descriptor = openSync(this.#temporary, 'wx')
        if (this.#mode !== undefined) fchmodSync(this.#descriptor, this.#mode & 0o7777)
      }
    } catch (error) {
      this.#release()
      throw fileError('open', `cannot write "${this.#path}"`, error)
    }
    if (this.#form.header.length > 0) this.#appendPacked(this.#form.header)
  }

  write(batch: Batch): Promise<readonly SinkReject[]> {
    try {
      this.#append(this.#form.encoder.encode(batch))
    } catch (error) {
      return Promise.reject(error)
    }
    return DONE
  }

  #append(bytes: Uint8Array): void {
    this.#appendPacked(this.#form.pack(bytes))
  }

  #appendPacked(packed: Uint8Array): void {
    this.#bytes += packed.length
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

  async seal(): Promise<void> {
    // No rows still make one compressed member: an empty file is no gzip.
    if (this.#bytes === 0) this.#append(new Uint8Array(0))
    const descriptor = this.#descriptor!
    this.#descriptor = undefined
    try {
      if (this.#options.fsync === 'commit' && this.#temporary !== undefined) fsyncSync(descriptor)
      if (!this.#borrowed) closeSync(descriptor)
      if (this.#temporary === undefined) return
      accessSync(dirname(this.#path), constants.W_OK)
    } catch (error) {
      throw fileError('open', `cannot publish "${this.#path}"`, error)
    }
    if (statOf(this.#path, 'write')?.isDirectory() === true) {
      throw fileError('open', `cannot publish "${this.#path}"`, { code: 'EISDIR' })
    }
  }

  async finish(complete: boolean): Promise<boolean> {
    if (this.#temporary === undefined) return true
    if (!complete) return false
    try {
      renameSync(this.#temporary, this.#path)
    } catch (error) {
      throw fileError('open', `cannot publish "${this.#path}"`, error)
    }
    this.#published = true
    return true
  }

  health(): Promise<Health> {
    return Promise.resolve({ state: 'healthy', issues: [] })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#descriptor !== undefined && !this.#borrowed) closeSync(this.#descriptor)
    this.#descriptor = undefined
    if (!this.#published && this.#temporary !== undefined) rmSync(this.#temporary, { force: true })
    this.#release()
    this.#form.encoder[Symbol.dispose]()
  }
}

const DONE: Promise<readonly SinkReject[]> = Promise.resolve(NONE)

/** Bytes of a temporary name at most; the name of a file may have 255. */
const NAME_MAX = 200

/** Makes a directory and those above it. (The recursive form of Node never returns below /proc.) */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  mkdirSync(path)
}
