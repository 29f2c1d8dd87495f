import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileSink } from '../connectors/file/sink.ts'
import type { Clock } from '../core/clock.ts'
import { HeadraceError } from '../core/errors.ts'
import { type SystemFiles, systemFiles } from '../core/system-files.ts'
import { field, schema, types } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { EpochDriver, type Snapshot } from './epoch-driver.ts'
import { Harness, type SinkTestForm } from './harness.ts'

export interface FileSinkForm extends SinkTestForm {
  readonly files?: SystemFiles
  readonly incarnation?: number
  /** `none`: without checkpoints. */
  readonly lineage?: string
  readonly clock?: Clock
  readonly options?: Readonly<Record<string, string | boolean | readonly string[]>>
}

/** File sinks of one test file: rows `(id, name)`, targets in a folder that goes at the end. */
export class FileSinks implements Disposable {
  /** In memory where there is such a place: thousands of syncs are the disk's time, not ours. */
  readonly base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'headrace-file-sinks-'))
  readonly #harness = new Harness({ baseDirectory: this.base })
  readonly #schema = schema([field('id', types.bigint), field('name', types.string)])
  readonly #opened: EpochDriver[] = []
  #count = 0

  freshPath(extension: string): string {
    return join(this.base, `p${this.#count++}`, `out.${extension}`)
  }

  async open(path: string, form: FileSinkForm = {}): Promise<EpochDriver> {
    const lineage = form.lineage ?? 'aaaaaaaa'
    const { context } = await this.#harness.sinkContext(`file://${path}`, this.#schema, {
      pipeline: 'orders',
      ...form,
      durable: lineage === 'none' ? undefined : { lineage, incarnation: BigInt(form.incarnation ?? 1) },
      given: Object.entries({ min_free: '0', ...form.options }).map(([name, value]) => ({ name, value })),
    })
    const clocked = form.clock === undefined ? context : { ...context, clock: form.clock }
    // Two sinks of one path stand for two processes.
    const apart = { ...clocked, shared: { get: <T>(_key: string, create: () => T): T => create() } }
    const driver = new EpochDriver(await openFileSink(apart, form.files ?? systemFiles), apart)
    this.#opened.push(driver)
    return driver
  }

  async closeAll(): Promise<void> {
    for (const driver of this.#opened.splice(0)) await driver[Symbol.asyncDispose]()
  }

  [Symbol.dispose](): void {
    rmSync(this.base, { recursive: true })
  }
}

export const rowsFrom = (from: number, to: number): (readonly Value[])[] =>
  Array.from({ length: to - from }, (_, i) => [from + i, `row ${from + i}`])

/** Writes rows and prepares an epoch. */
export async function epochOf(
  driver: EpochDriver,
  epoch: bigint,
  rows: readonly (readonly Value[])[],
  last = false,
): Promise<Snapshot> {
  await driver.write(rows)
  const token = await driver.sink.prepare!(epoch, { last })
  return { epoch, token, rows: rows.length, last }
}

/** The error of a task that must fail. */
export async function failure(task: Promise<unknown>): Promise<HeadraceError> {
  const error = await task.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof HeadraceError)) throw new Error(`not a HeadraceError: ${String(error)}`)
  return error
}
