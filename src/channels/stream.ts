import type { OptionNames } from '../core/option-names.ts'
import { refuseUnknown } from './capacity.ts'
import { StreamCore, type StreamOptions } from './stream-core.ts'
import { StreamSink } from './stream-sink.ts'
import { StreamSource } from './stream-source.ts'

const OPTIONS: OptionNames<StreamOptions> = {
  name: true,
  capacity: true,
  overflow: true,
  maxSubscribers: true,
  schema: true,
  journal: true,
  clock: true,
}

/** An in-process stream: code pushes into its source, every subscriber of its sink sees all of it. */
export function createStream<T>(options: StreamOptions = {}): {
  readonly source: StreamSource<T>
  readonly sink: StreamSink<T>
} {
  refuseUnknown('a stream', options, OPTIONS)
  const core = new StreamCore<T>(options)
  return { source: new StreamSource(core), sink: new StreamSink(core) }
}
