import { IngestorError } from './errors.ts'
import { Pipeline } from './pipeline.ts'
import type { Processor, Transformer } from './processor.ts'
import type { Sink } from './sink.ts'

/** Of a builder: nothing is set there yet. */
export interface Unset {
  readonly unset: true
}

interface NeedsProcessor<S> {
  withProcessor<P extends Processor | Transformer>(processor: P): PipelineBuilder<P, S>
}

interface NeedsSink<P> {
  withSink<S extends Sink>(sink: S): PipelineBuilder<P, S>
}

interface Complete<P extends Processor | Transformer, S extends Sink> {
  build(): Pipeline<P, S>
}

/** Each `with…` exists while its part is unset, `build` when both parts are set. */
export type PipelineBuilder<P = Unset, S = Unset> = (P extends Processor | Transformer ? unknown : NeedsProcessor<S>) &
  (S extends Sink ? unknown : NeedsSink<P>) &
  (P extends Processor | Transformer ? (S extends Sink ? Complete<P, S> : unknown) : unknown)

class Builder {
  readonly #processor: Processor | Transformer | undefined
  readonly #sink: Sink | undefined

  constructor(processor?: Processor | Transformer, sink?: Sink) {
    this.#processor = processor
    this.#sink = sink
  }

  withProcessor(processor: Processor | Transformer): Builder {
    if (this.#processor !== undefined) throw refused('the processor is set already')
    const form = processor as Partial<Processor & Transformer> | undefined
    if (typeof form?.process !== 'function' && typeof form?.transform !== 'function') {
      throw refused('a processor needs the method process or transform')
    }
    return new Builder(processor, this.#sink)
  }

  withSink(sink: Sink): Builder {
    if (this.#sink !== undefined) throw refused('the sink is set already')
    if (typeof (sink as Partial<Sink> | undefined)?.send !== 'function') throw refused('a sink needs the method send')
    return new Builder(this.#processor, sink)
  }

  build(): Pipeline {
    if (this.#processor === undefined) throw refused('the processor is missing: call withProcessor')
    if (this.#sink === undefined) throw refused('the sink is missing: call withSink')
    return new Pipeline(this.#processor, this.#sink)
  }
}

const refused = (details: string): IngestorError => new IngestorError('PipelineConstruction', { details })

/** `new PipelineBuilder().withProcessor(p).withSink(s).build()`, in any order; a builder is never changed. */
export const PipelineBuilder = Builder as unknown as new () => PipelineBuilder
