import { StreamCore, type StreamOptions } from './stream-core.ts'
import { StreamSink } from './stream-sink.ts'
import { StreamSource } from './stream-source.ts'

/** An in-process stream: code pushes into its source, every subscriber of its sink sees all of it. */
export function createStream<T>(options: StreamOptions = {}): {
  readonly source: StreamSource<T>
  readonly sink: StreamSink<T>
} {
  const core = new StreamCore<T>(options)
  return { source: new StreamSource(core), sink: new StreamSink(core) }
}
