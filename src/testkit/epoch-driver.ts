import type { Sink, SinkContext, SinkLedger } from '../connectors/contract.ts'
import { BatchBuilder } from '../core/row-batch.ts'
import type { Value } from '../core/values.ts'

/** What survives every crash of the pipeline: the newest snapshot, which names its epoch, its token and the rows read. */
export interface Snapshot {
  readonly epoch: bigint
  readonly token: Uint8Array
  /** Rows before the barrier. */
  readonly rows: number
  readonly last: boolean
}

/** The part of a checkpointing runtime that a sink sees, for tests of sinks alone. */
export class EpochDriver implements AsyncDisposable {
  readonly sink: Sink
  readonly #context: SinkContext
  ledger: SinkLedger | undefined
  #closed = false

  constructor(sink: Sink, context: SinkContext) {
    this.sink = sink
    this.#context = context
  }

  /** Settles the sink on a snapshot, as after a start. */
  async settle(snapshot: Snapshot | undefined): Promise<void> {
    this.ledger = await this.sink.ledger!(this.#context.incarnation)
    if (snapshot !== undefined && (this.ledger === undefined || this.ledger.epoch < snapshot.epoch)) {
      await this.commit(snapshot)
    }
    await this.sink.restore!(snapshot?.epoch ?? 0n, snapshot?.token)
  }

  async write(rows: readonly (readonly Value[])[]): Promise<void> {
    if (rows.length === 0) return
    using builder = new BatchBuilder(this.#context.schema, rows.length, this.#context.memory)
    for (const row of rows) builder.append(row)
    await this.sink.write(builder.finish())
  }

  async commit({ epoch, token }: Snapshot): Promise<void> {
    await this.sink.commit!(epoch, token, async function* () {})
  }

  /** Once; what a process that has died cannot close is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.sink[Symbol.asyncDispose]()
  }
}

/** The store of snapshots: what a start finds. */
export interface SnapshotBox {
  snapshot: Snapshot | undefined
  /** Epochs that were begun: none is used twice. */
  begun: bigint
}

export interface EpochRun {
  readonly rows: readonly (readonly Value[])[]
  readonly perEpoch: number
  /** The last epoch says that no row follows. */
  readonly ends: boolean
}

/** Settles the sink on what the box holds, then writes all rows that follow, epoch by epoch. */
export async function runEpochs(driver: EpochDriver, box: SnapshotBox, run: EpochRun): Promise<void> {
  await driver.settle(box.snapshot)
  while ((box.snapshot?.rows ?? 0) < run.rows.length) {
    const from = box.snapshot?.rows ?? 0
    const to = Math.min(from + run.perEpoch, run.rows.length)
    const half = (from + to) >> 1
    await driver.write(run.rows.slice(from, half))
    await driver.write(run.rows.slice(half, to))
    const epoch = ++box.begun
    const last = run.ends && to === run.rows.length
    const token = await driver.sink.prepare!(epoch, { last })
    box.snapshot = { epoch, token, rows: to, last }
    await driver.commit(box.snapshot)
  }
}
