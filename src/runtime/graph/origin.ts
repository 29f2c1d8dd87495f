import { type Batch, recordBytes } from '../../core/batch.ts'
import { CHANGE, changeSymbols } from '../../core/change.ts'
import type { Barrier, Element } from '../../core/element.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { AssignWatermarks } from '../../operators/assign-watermarks.ts'
import type { SourceNode, ValuesNode } from '../../sql/plan.ts'
import type { Receiver, Stage } from './stage.ts'

/** Where rows enter the graph: the place of a source node (or of VALUES). */
export class Origin {
  readonly node: SourceNode | ValuesNode
  readonly #outputs: Receiver[] = []
  /** Watermark operators that tell the splits of this source apart. */
  readonly watermarks: { readonly stage: Stage; readonly operator: AssignWatermarks }[] = []
  /** Rows that were pushed, those of earlier runs included. */
  rows = 0
  batches = 0
  /** Of the records of this run, where the source has bytes. */
  bytes = 0
  /** Nothing will follow. */
  ended = false

  constructor(node: SourceNode | ValuesNode) {
    this.node = node
  }

  connect(receiver: Receiver): void {
    this.#outputs.push(receiver)
  }

  /** True when nobody needs more rows. */
  get finished(): boolean {
    return this.#outputs.length > 0 && this.#outputs.every((output) => output.finished)
  }

  async batch(batch: Batch): Promise<void> {
    this.rows += batch.rows
    this.batches++
    this.bytes += recordBytes(batch)
    if (this.node.kind === 'source' && this.node.info.changes === 'append') refuseChanges(batch, this.node.name)
    await this.#send({ kind: 'batch', batch })
  }

  addSplit(id: string): void {
    for (const { operator } of this.watermarks) operator.addSplit(id)
  }

  reopenSplit(id: string): void {
    for (const { operator } of this.watermarks) operator.reopenSplit(id)
  }

  async idleSplit(id: string): Promise<void> {
    for (const { stage, operator } of this.watermarks) await stage.emit(operator.idleSplit(id))
  }

  async finishSplit(id: string): Promise<void> {
    for (const { stage, operator } of this.watermarks) await stage.emit(operator.finishSplit(id))
  }

  /** Watermark of a split; −Infinity when the plan has no event time. */
  watermarkOf(id: string): number {
    return this.watermarks[0]?.operator.watermarkOf(id) ?? Number.NEGATIVE_INFINITY
  }

  async barrier(barrier: Barrier): Promise<void> {
    await this.#send(barrier)
  }

  async end(): Promise<void> {
    this.ended = true
    await this.#send({ kind: 'end' })
  }

  async #send(element: Element): Promise<void> {
    for (const output of this.#outputs) await output.receive(element)
  }
}

/** The plan of an append source has nothing that takes rows back: it would count a deleted row once more. */
function refuseChanges({ changes, rows }: Batch, name: string): void {
  const row = changes?.findIndex((change, i) => i < rows && change !== CHANGE.insert) ?? -1
  if (row < 0) return
  throw new HeadraceError(
    'connector_schema_mismatch',
    `source "${name}" was planned as append, but gave a ${changeSymbols[changes![row]!]} row`,
    { hint: 'start the writer of the changelog before this query, or write appends: a window with EMIT FINAL' },
  )
}
