// The door of the package: what `import { … } from 'headrace'` gives.
export type { Connector } from '../connectors/contract.ts'
export type { ErrorClass, ErrorCode } from '../core/error-kinds.ts'
export { HeadraceError, HeadraceErrors } from '../core/errors.ts'
export type { DataType, Field, Schema } from '../core/types.ts'
export {
  type BlackholeSinkBuilder,
  blackholeSink,
  type DatagenSourceBuilder,
  datagenSource,
  type FileSinkBuilder,
  type FileSourceBuilder,
  fileSink,
  fileSource,
  type MemorySinkBuilder,
  type MemorySourceBuilder,
  memorySink,
  memorySource,
  type NexmarkSourceBuilder,
  nexmarkSource,
  type StdinSourceBuilder,
  type StdoutSinkBuilder,
  stderrSink,
  stdinSource,
  stdoutSink,
} from './library/builders.ts'
export {
  createSink,
  createSource,
  type EndpointForm,
  formatUri,
  type Instance,
  parseUri,
  type Uri,
  type UriParts,
} from './library/create.ts'
export { ConfigError, type ConfigProblem, DataSourceError, type DataSourceErrorKind } from './library/errors.ts'
export { decodeOffset, encodeOffset, type OffsetView } from './library/offsets.ts'
export type { OptionInput, OptionInputs } from './library/option-inputs.ts'
export {
  ConnectorRegistry,
  registerConnector,
  registry,
  type SchemeDescription,
  type SinkFactory,
  type SourceFactory,
} from './library/registry.ts'
export { rowToJson } from './library/row-json.ts'
export { schemaOf } from './library/schema-text.ts'
export type {
  Change,
  CheckResult,
  DataReader,
  DataSink,
  DataSource,
  DataWriter,
  ReaderOptions,
  RecordInput,
  RejectedRecord,
  Row,
  RowValue,
  SinkMetadata,
  SourceMetadata,
  StreamRecord,
  Waiting,
  WriterOptions,
} from './library/types.ts'
export { sinkBuilder, sourceBuilder, UriBuilder } from './library/uri-builder.ts'
