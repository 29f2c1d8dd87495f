// The door of `headrace/connector`: what somebody who writes a connector needs.
export type {
  Capabilities,
  Check,
  Connector,
  ConnectorContext,
  Discovered,
  Health,
  Offset,
  SharedState,
  Sink,
  SinkContext,
  SinkFacts,
  SinkLedger,
  SinkReject,
  Source,
  SourceContext,
  SourceItem,
  Split,
  SplitEvent,
  SplitReader,
  WantedColumn,
} from '../connectors/contract.ts'
export { formatOptions, sinkFormat, sinkOptions, sourceOptions } from '../connectors/shared-options.ts'
export type { Batch, Mark, Provenance } from '../core/batch.ts'
export { CHANGE, type ChangeCode } from '../core/change.ts'
export type { Column } from '../core/column.ts'
export { valueAt } from '../core/column-read.ts'
export { HeadraceError, HeadraceErrors } from '../core/errors.ts'
export type { Option, OptionSpec, OptionType, Side } from '../core/option-types.ts'
export {
  bool,
  byteCount,
  character,
  choice,
  duration,
  entries,
  float,
  integer,
  list,
  type OptionValues,
  secret,
  text,
  timestamp,
  type ValuesOf,
} from '../core/options.ts'
export { BatchBuilder, type Row, rowAt } from '../core/row-batch.ts'
export {
  array,
  type DataType,
  decimal,
  type Field,
  field,
  map,
  type Schema,
  schema,
  struct,
  types,
} from '../core/types.ts'
export type { Uri } from '../core/uri.ts'
export type { ExactInteger, Interval, Value } from '../core/values.ts'
export type { Decoded, Decoder, Reject } from '../formats/decoder.ts'
export type { Encoder } from '../formats/encoder.ts'
