import type { Sink, SinkReject } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import { CHANGE } from '../../core/change.ts'
import type { Barrier, Element } from '../../core/element.ts'
import { keepRows } from '../../operators/keep-rows.ts'
import type { Receiver } from './stage.ts'

/** The end of a path: every row goes to the sink, which takes it before the next one is made. */
export class SinkStage implements Receiver {
  readonly name: string
  /** Its name in snapshots: the same in every run of the same plan. */
  readonly part: string
  readonly sink: Sink
  readonly #oldImages: boolean
  readonly #write: (batch: Batch) => Promise<readonly SinkReject[]>
  readonly #onRejects: (rejects: readonly SinkReject[], batch: Batch) => void
  rows = 0
  /** False once the run has ended without publishing what was written. */
  published = true
  ended = false
  /** Paths that lead here. */
  #inputs = 1
  #endedInputs = 0
  #barriers = 0

  constructor(
    form: {
      readonly name: string
      readonly part: string
      readonly sink: Sink
      readonly oldImages: boolean
      /** How rows are given to the sink, where that is more than its `write`. */
      readonly write?: ((batch: Batch) => Promise<readonly SinkReject[]>) | undefined
    },
    onRejects: (rejects: readonly SinkReject[], batch: Batch) => void,
  ) {
    this.name = form.name
    this.part = form.part
    this.sink = form.sink
    this.#oldImages = form.oldImages
    this.#write = form.write ?? ((batch) => form.sink.write(batch))
    this.#onRejects = onRejects
  }

  /** A sink that cannot stage flushes instead; its token is empty. */
  async #prepare({ epoch, last }: Barrier): Promise<Uint8Array> {
    if (this.sink.prepare !== undefined) return await this.sink.prepare(epoch, { last })
    await this.sink.flush()
    return NO_TOKEN
  }

  /** One more path leads here. */
  addInput(): void {
    this.#inputs++
  }

  get finished(): boolean {
    return this.ended
  }

  async receive(element: Element): Promise<void> {
    if (element.kind === 'batch') {
      const batch = this.#oldImages ? element.batch : withoutOldImages(element.batch)
      if (batch === undefined) return
      const rejects = await this.#write(batch)
      this.rows += batch.rows - rejects.length
      if (rejects.length > 0) this.#onRejects(rejects, batch)
    } else if (element.kind === 'barrier') {
      this.#barriers++
      if (this.#barriers < this.#inputs) return
      this.#barriers = 0
      element.prepared(this.part, this.#prepare(element))
    } else if (element.kind === 'end' && ++this.#endedInputs === this.#inputs) {
      this.ended = true
      await this.sink.flush()
    }
  }
}

const NO_TOKEN = new Uint8Array(0)

/** EMIT ON UPDATE: the batch without its `-U` rows; undefined when nothing is left. */
function withoutOldImages(batch: Batch): Batch | undefined {
  const { changes } = batch
  if (changes === undefined) return batch
  const kept: number[] = []
  for (let row = 0; row < batch.rows; row++) if (changes[row] !== CHANGE.updateBefore) kept.push(row)
  if (kept.length === 0) return undefined
  return kept.length === batch.rows ? batch : keepRows(batch, kept)
}
