import type { SharedState } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import type { Row } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { StreamSink } from './stream-sink.ts'
import type { StreamSource } from './stream-source.ts'

/** An in-process stream that SQL reads and writes by its name (rulings 71). */
export interface NamedStream {
  readonly source: StreamSource<unknown>
  readonly sink: StreamSink<unknown>
  readonly schema: Schema
  /** A pushed value as a row of the schema; throws for one that does not fit. */
  toRow(value: unknown): Row
  /** A row of the schema as the value that code gets. */
  ofRow(row: Row): unknown
}

/** The streams of an instance by name. Whoever makes one for code puts it in here. */
export const namedStreams = (shared: SharedState): Map<string, NamedStream> =>
  shared.get('in-process streams', () => new Map<string, NamedStream>())

export function namedStream(shared: SharedState, name: string): NamedStream {
  const stream = namedStreams(shared).get(name)
  if (stream !== undefined) return stream
  throw new HeadraceError('connector_not_found', `there is no in-process stream "${name}"`, {
    hint: `make it first: engine.stream('${name}', { schema })`,
  })
}
