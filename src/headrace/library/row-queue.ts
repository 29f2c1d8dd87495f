import type { Health, Sink, SinkReject } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import { changeSymbols } from '../../core/change.ts'
import { rowAt } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import { rowMaker } from './row-values.ts'
import type { Row } from './types.ts'

const NONE: readonly SinkReject[] = []

/**
 * The rows of a query on their way to whoever asked: one batch at a time, the query waits until it was taken. Rows of a
 * changelog begin with `_op`.
 */
export class RowQueue {
  #rows: readonly Row[] | undefined
  #taken = Promise.withResolvers<void>()
  #came = Promise.withResolvers<void>()
  #ended = false

  /** The sink that the query writes. */
  sink(schema: Schema, { changes }: { readonly changes: boolean }): Sink {
    const toRow = rowMaker(schema)
    return {
      write: async (batch) => {
        const rows = rowsOf(batch, toRow, changes)
        if (this.#ended) return NONE
        this.#rows = rows
        this.#came.resolve()
        await this.#taken.promise
        return NONE
      },
      flush: async () => NONE,
      health: async (): Promise<Health> => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** The next rows; undefined when there are no more. */
  async next(): Promise<readonly Row[] | undefined> {
    if (this.#rows === undefined && !this.#ended) await this.#came.promise
    const rows = this.#rows
    this.#rows = undefined
    this.#came = Promise.withResolvers<void>()
    const taken = this.#taken
    this.#taken = Promise.withResolvers<void>()
    taken.resolve()
    return rows
  }

  /** Nobody writes, or nobody reads, any more. */
  end(): void {
    this.#ended = true
    this.#came.resolve()
    this.#taken.resolve()
  }
}

function rowsOf(batch: Batch, toRow: ReturnType<typeof rowMaker>, changes: boolean): readonly Row[] {
  return Array.from({ length: batch.rows }, (_, i) => {
    const { values, change } = rowAt(batch, i)
    const row = toRow(values)
    return changes ? { _op: changeSymbols[change]!, ...row } : row
  })
}
