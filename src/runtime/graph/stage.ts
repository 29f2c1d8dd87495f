import type { Batch } from '../../core/batch.ts'
import type { Barrier, Element } from '../../core/element.ts'
import type { Operator, Output } from '../../operators/operator.ts'
import { StatePages } from '../../state/state-pages.ts'
import { StateReader } from '../../state/state-reader.ts'
import { StateWriter } from '../../state/state-writer.ts'

/** The end of an edge: takes elements one at a time and is done with each when the promise settles. */
export interface Receiver {
  receive(element: Element): Promise<void>
  /** True when nothing sent here can matter any more. */
  readonly finished: boolean
}

/** An operator in its place: combines the watermarks and ends of its inputs and hands outputs on. */
export class Stage {
  readonly operator: Operator
  readonly id: string
  readonly #watermarks: number[]
  readonly #ended: boolean[]
  readonly #outputs: Receiver[] = []
  readonly #late: Receiver[] = []
  #watermark = Number.NEGATIVE_INFINITY
  #done = false
  /** Inputs on which the barrier at hand has not come yet. */
  #awaited: number
  readonly #pages = new StatePages()
  /** For EXPLAIN ANALYZE and the digest. */
  readonly meter = { rowsIn: 0, rowsOut: 0 }

  constructor(id: string, operator: Operator, inputs: number) {
    this.id = id
    this.operator = operator
    this.#watermarks = new Array<number>(inputs).fill(Number.NEGATIVE_INFINITY)
    this.#ended = new Array<boolean>(inputs).fill(false)
    this.#awaited = inputs
  }

  /** Rows and watermarks go to `receiver`, too. */
  connect(receiver: Receiver): void {
    this.#outputs.push(receiver)
  }

  /** Late rows go to `receiver`. */
  connectLate(receiver: Receiver): void {
    this.#late.push(receiver)
  }

  get finished(): boolean {
    if (this.#done || this.operator.finished === true) return true
    const all = [...this.#outputs, ...this.#late]
    return all.length > 0 && all.every((output) => output.finished)
  }

  input(index: number): Receiver {
    const stage = this
    return {
      receive: (element) => stage.#receive(element, index),
      get finished() {
        return stage.finished
      },
    }
  }

  async #receive(element: Element, input: number): Promise<void> {
    if (element.kind === 'barrier') return this.#onBarrier(element)
    if (this.#done) return
    switch (element.kind) {
      case 'batch':
        this.meter.rowsIn += element.batch.rows
        await this.emit(this.operator.process(this.#combined(element.batch, input), input))
        this.#takeMarks(element.batch, input)
        return
      case 'watermark':
        await this.#onWatermark(element.micros, input)
        return
      case 'end':
        await this.#onEnd(input)
    }
  }

  /** Nothing else is on the way while a barrier is: the graph takes one element at a time, so no input is held back. */
  async #onBarrier(barrier: Barrier): Promise<void> {
    if (--this.#awaited > 0) return
    this.#awaited = this.#ended.length
    const state = new StateWriter(this.#pages)
    this.#snapshot(state)
    barrier.keep(stateKey(this.id), state)
    for (const receiver of [...this.#outputs, ...this.#late]) await receiver.receive(barrier)
  }

  #snapshot(out: StateWriter): void {
    out.u8(STATE_VERSION)
    out.bool(this.#done)
    out.f64(this.#watermark)
    out.list(this.#watermarks, (watermark) => out.f64(watermark))
    out.list(this.#ended, (ended) => out.bool(ended))
    this.operator.snapshot?.(out)
  }

  /** Takes up the state of the same stage of an earlier run; before the first element. */
  restore(bytes: Uint8Array): void {
    const state = new StateReader(bytes, stateKey(this.id))
    state.version(STATE_VERSION)
    this.#done = state.bool()
    this.#watermark = state.f64()
    const watermarks = state.list(() => state.f64())
    const ended = state.list(() => state.bool())
    const inputs = this.#ended.length
    if (watermarks.length !== inputs || ended.length !== inputs)
      state.refuse(`has another number of inputs than ${inputs}`)
    this.#watermarks.splice(0, inputs, ...watermarks)
    this.#ended.splice(0, inputs, ...ended)
    this.operator.restore?.(state)
    state.end()
  }

  /** With several inputs, a watermark inside a batch counts only as far as the other inputs have come. */
  #combined(batch: Batch, input: number): Batch {
    if (this.#watermarks.length === 1 || (batch.marks === undefined && batch.watermarks === undefined)) return batch
    let others = Number.POSITIVE_INFINITY
    for (const [i, watermark] of this.#watermarks.entries()) if (i !== input) others = Math.min(others, watermark)
    const marks = batch.marks
      ?.map((mark) => ({ row: mark.row, watermark: Math.min(mark.watermark, others) }))
      .filter((mark) => mark.watermark > this.#watermark)
    return { ...batch, marks, watermarks: batch.watermarks?.map((watermark) => Math.min(watermark, others)) }
  }

  /** What the marks of a batch said is not said again by a watermark element. */
  #takeMarks({ marks }: Batch, input: number): void {
    const last = marks?.at(-1)
    if (last === undefined) return
    this.#watermarks[input] = Math.max(this.#watermarks[input]!, last.watermark)
    this.#watermark = Math.max(this.#watermark, Math.min(...this.#watermarks))
  }

  async #onWatermark(micros: number, input: number): Promise<void> {
    this.#watermarks[input] = Math.max(this.#watermarks[input]!, micros)
    const least = Math.min(...this.#watermarks)
    if (least <= this.#watermark) return
    this.#watermark = least
    await this.emit(this.operator.onWatermark(least))
  }

  async #onEnd(input: number): Promise<void> {
    this.#ended[input] = true
    await this.#onWatermark(Number.POSITIVE_INFINITY, input)
    if (this.#ended.every((ended) => ended)) await this.emit(this.operator.onEnd())
  }

  /** Hands outputs on, each taken by everybody before the next is asked for. */
  async emit(outputs: Iterable<Output>): Promise<void> {
    for (const output of outputs) {
      if (output.kind === 'late') {
        for (const late of this.#late) await late.receive({ kind: 'batch', batch: output.batch })
        continue
      }
      if (output.kind === 'batch') this.meter.rowsOut += output.batch.rows
      if (output.kind === 'end') {
        this.#done = true
        for (const late of this.#late) await late.receive(output)
      }
      for (const receiver of this.#outputs) await receiver.receive(output)
    }
  }
}

const STATE_VERSION = 1

/** What a stored state of a stage says without its operator: nothing will follow, and the operator keeps something. */
export function stateFacts(key: string, bytes: Uint8Array): { readonly ended: boolean; readonly keeps: boolean } {
  const state = new StateReader(bytes, key)
  state.version(STATE_VERSION)
  const ended = state.bool()
  state.f64()
  state.list(() => state.f64())
  state.list(() => state.bool())
  return { ended, keeps: state.left > 0 }
}

/** Key of a stage's state in a snapshot (checkpoints.md §9.1): all key groups in one range. */
export const stateKey = (id: string): string => `op/${encodeName(id)}/0-255`

/** `/`, `%` and control characters inside a name are percent-encoded. */
export const encodeName = (name: string): string => name.replace(/[/%\u0000-\u001f\u007f]/g, encodeURIComponent)

export const decodeName = (encoded: string): string => encoded.replace(/(?:%[0-9A-F]{2})+/g, decodeURIComponent)
