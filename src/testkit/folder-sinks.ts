import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SinkContext } from '../connectors/contract.ts'
import { openFileSink } from '../connectors/file/sink.ts'
import type { Clock } from '../core/clock.ts'
import { type SystemFiles, systemFiles } from '../core/system-files.ts'
import { field, schema, types } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { EpochDriver } from './epoch-driver.ts'
import { Harness, type SinkTestForm } from './harness.ts'

export interface FolderForm extends SinkTestForm {
  readonly files?: SystemFiles
  readonly incarnation?: number
  /** `none`: without checkpoints. */
  readonly lineage?: string
  readonly options?: Readonly<Record<string, string | boolean | readonly string[]>>
  readonly path?: string
  readonly clock?: Clock
}

export const placeSchema = schema([
  field('id', types.bigint),
  field('city', types.string),
  field('at', types.timestamp),
])

/** 2026-01-01T00:00:00Z and an hour more for every id. */
export const timeOf = (id: number): number => 1_767_225_600_000_000 + id * 3_600_000_000
export const placeRow = (id: number): readonly Value[] => [id, id % 2 === 0 ? 'Köln' : 'a/b', timeOf(id)]
export const placesUpTo = (count: number, from = 0): (readonly Value[])[] =>
  Array.from({ length: count - from }, (_, i) => placeRow(from + i))

export const numbers = (to: number): number[] => Array.from({ length: to }, (_, i) => i)

/** Sinks that write new files in a folder, for one test file; rows `(id, city, at)` as JSON lines. */
export class FolderSinks implements Disposable {
  /** In memory where there is such a place: thousands of syncs are the disk's time, not ours. */
  readonly base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'headrace-folder-sinks-'))
  readonly harness = new Harness({ baseDirectory: this.base })
  readonly #opened: EpochDriver[] = []
  #count = 0
  /** The folder of the test. */
  root = ''

  /** Takes a folder that is not there yet. */
  freshRoot(): void {
    this.root = join(this.base, `t${this.#count++}`)
  }

  readonly open = async (form: FolderForm = {}): Promise<EpochDriver> => {
    const lineage = form.lineage ?? 'aaaaaaaa'
    const { context: made } = await this.harness.sinkContext(`file://${form.path ?? `${this.root}/`}`, placeSchema, {
      pipeline: 'orders',
      ...form,
      durable: lineage === 'none' ? undefined : { lineage, incarnation: BigInt(form.incarnation ?? 1) },
      given: Object.entries({ min_free: '0', ...form.options }).map(([name, value]) => ({ name, value })),
    })
    const context: SinkContext = form.clock === undefined ? made : { ...made, clock: form.clock }
    const driver = new EpochDriver(await openFileSink(context, form.files ?? systemFiles), context)
    this.#opened.push(driver)
    return driver
  }

  async closeAll(): Promise<void> {
    for (const driver of this.#opened.splice(0)) await driver[Symbol.asyncDispose]()
  }

  /** Files below the root: final ones, or those no reader sees. */
  readonly listed = (kind: 'final' | 'hidden'): string[] => {
    const all = readdirSync(this.root, { recursive: true, withFileTypes: true })
    return all
      .filter((entry) => entry.isFile() && entry.name.startsWith('.headrace-') === (kind === 'hidden'))
      .map((entry) => join(entry.parentPath, entry.name).slice(this.root.length + 1))
      .sort()
  }

  readonly staged = (): string[] => this.listed('hidden').filter((name) => !/\.(ledger|lock)$/.test(name))

  /** Ids in the published files. */
  readonly ids = (): number[] =>
    this.listed('final')
      .flatMap((name) => readFileSync(join(this.root, name), 'utf8').split('\n'))
      .filter((line) => line !== '')
      .map((line) => Number((JSON.parse(line) as { id: number }).id))
      .sort((a, b) => a - b);

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true })
  }
}
