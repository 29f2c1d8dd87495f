import type { Sink, SinkReject } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import type { Element } from '../../core/element.ts'
import type { Receiver } from './stage.ts'

/** The end of a path: every row goes to the sink, which takes it before the next one is made. */
export class SinkStage implements Receiver {
  readonly name: string
  readonly sink: Sink
  readonly #onRejects: (rejects: readonly SinkReject[], batch: Batch) => void
  rows = 0
  ended = false

  constructor(name: string, sink: Sink, onRejects: (rejects: readonly SinkReject[], batch: Batch) => void) {
    this.name = name
    this.sink = sink
    this.#onRejects = onRejects
  }

  get finished(): boolean {
    return this.ended
  }

  async receive(element: Element): Promise<void> {
    if (element.kind === 'batch') {
      const { batch } = element
      const rejects = await this.sink.write(batch)
      this.rows += batch.rows - rejects.length
      if (rejects.length > 0) this.#onRejects(rejects, batch)
    } else if (element.kind === 'end') {
      this.ended = true
      await this.sink.flush()
    }
  }
}
