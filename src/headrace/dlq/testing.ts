import type { Sink } from '../../connectors/contract.ts'
import { type Row, rowAt } from '../../core/row-batch.ts'

/** Rows of an epoch are collected once it is committed; outlives the runs of a pipeline. */
export class Collected {
  readonly rows: Row[] = []
  epoch = 0n
  readonly #staged = new Map<bigint, readonly Row[]>()

  /** What waits for a commit. */
  get staged(): number {
    return this.#staged.size
  }

  /** A sink of one run. */
  sink(): Sink {
    let open: Row[] = []
    return {
      write: async (batch) => {
        for (let row = 0; row < batch.rows; row++) open.push(rowAt(batch, row))
        return []
      },
      flush: async () => [],
      prepare: async (epoch) => {
        this.#staged.set(epoch, open)
        open = []
        return new Uint8Array(0)
      },
      commit: async (epoch) => {
        if (this.epoch < epoch) this.rows.push(...this.#staged.get(epoch)!)
        this.epoch = epoch
        return []
      },
      abort: async (epoch) => {
        this.#staged.delete(epoch)
      },
      ledger: async (incarnation) => ({ epoch: this.epoch, incarnation }),
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }
}
