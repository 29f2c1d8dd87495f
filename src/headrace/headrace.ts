// The door of the package: what `import { … } from 'headrace'` gives.
export {
  Broadcast,
  type BroadcastItem,
  type BroadcastOptions,
  type BroadcastSubscriber,
  type SlowPolicy,
} from '../channels/broadcast.ts'
export { Bus, type BusTopic } from '../channels/bus.ts'
export { type ChannelOptions, type ChannelStats, channel, type Receiver, type Sender } from '../channels/channel.ts'
export { BroadcastError, StreamingError } from '../channels/errors.ts'
export { createStream } from '../channels/stream.ts'
export type { StreamOptions } from '../channels/stream-core.ts'
export type { StreamBatch, StreamItem } from '../channels/stream-items.ts'
export type { StreamSink } from '../channels/stream-sink.ts'
export type { StreamSource } from '../channels/stream-source.ts'
export type { Subscription } from '../channels/subscription.ts'
export { StreamChangelogBuffer } from '../checkpoint/change-ring.ts'
export { StreamCheckpointConfig } from '../checkpoint/config.ts'
export { CheckpointError, type CheckpointErrorKind } from '../checkpoint/error.ts'
export { FileStore } from '../checkpoint/file-store.ts'
export { type ManagerDeps, type PendingCheckpoint, StreamCheckpointManager } from '../checkpoint/manager.ts'
export { MemoryStore } from '../checkpoint/memory-store.ts'
export type { CheckpointStore } from '../checkpoint/store.ts'
export { StreamCheckpoint } from '../checkpoint/stream-checkpoint.ts'
export type { Connector } from '../connectors/contract.ts'
export type { Clock } from '../core/clock.ts'
export { SequenceCounter, WatermarkCell } from '../core/counters.ts'
export type { ErrorClass, ErrorCode } from '../core/error-kinds.ts'
export { HeadraceError, HeadraceErrors } from '../core/errors.ts'
export type { Logger, LogLevel } from '../core/logger.ts'
export type { MetricsRegistry } from '../core/metrics-registry.ts'
export type { DataType, Field, Schema } from '../core/types.ts'
export { BaseConsumer } from '../processor/base-consumer.ts'
export { type ChannelConsumer, ChannelConsumerBuilder, type MessageSender } from '../processor/channel-consumer.ts'
export { type CommitMode, ConsumedMessage, type StreamConsumer } from '../processor/consumer.ts'
export { ProcessingDecision, SkipReason } from '../processor/decision.ts'
export { IngestorError, ProcessingError, SinkError, StreamError, ValidationError } from '../processor/errors.ts'
export {
  GenericMessage,
  type Message,
  type MessageHeaders,
  MessageMetadata,
  type MessageParts,
} from '../processor/message.ts'
export type { Pipeline, PipelineStats } from '../processor/pipeline.ts'
export { PipelineBuilder } from '../processor/pipeline-builder.ts'
export type { Processor, Transformer } from '../processor/processor.ts'
export { ProcessorChain } from '../processor/processors/chain.ts'
export { type DedupeOptions, DedupeProcessor } from '../processor/processors/dedupe.ts'
export { FilterProcessor } from '../processor/processors/filter.ts'
export { MapTransformer } from '../processor/processors/map.ts'
export { PassthroughProcessor } from '../processor/processors/passthrough.ts'
export { type RateLimitOptions, RateLimitProcessor } from '../processor/processors/rate-limit.ts'
export { type TimeWindowOptions, TimeWindowProcessor } from '../processor/processors/time-window.ts'
export { type ValidationOptions, ValidationProcessor } from '../processor/processors/validation.ts'
export type { Sink } from '../processor/sink.ts'
export { CollectorSink } from '../processor/sinks/collector.ts'
export { type FanOutOptions, FanOutSink } from '../processor/sinks/fan-out.ts'
export { LoggingSink, TracingSink } from '../processor/sinks/logging.ts'
export { RetrySink } from '../processor/sinks/retry.ts'
export {
  type Backoff,
  type BackoffInput,
  type CommitEvery,
  type FailurePolicy,
  StreamConfig,
} from '../processor/stream-config.ts'
export { type ProcessorDeps, type RunOptions, StreamProcessor } from '../processor/stream-processor.ts'
export { StreamStats } from '../processor/stream-stats.ts'
export { MessageId, SourceName, Timestamp } from '../processor/values.ts'
export {
  type BlackholeSinkBuilder,
  type BusSinkBuilder,
  type BusSourceBuilder,
  blackholeSink,
  busSink,
  busSource,
  type ChainSourceBuilder,
  chainSource,
  type DatagenSourceBuilder,
  datagenSource,
  type FileSinkBuilder,
  type FileSourceBuilder,
  fileSink,
  fileSource,
  type InstanceSinkBuilder,
  type InstanceSourceBuilder,
  instanceSink,
  instanceSource,
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
export { type Checkable, checkAll } from './library/check.ts'
export { copy } from './library/copy.ts'
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
export { DeadLetterSink } from './library/dead-letter-sink.ts'
export { ConfigError, type ConfigProblem, DataSourceError, type DataSourceErrorKind } from './library/errors.ts'
export { type ConsumerOptions, createConsumer, toConsumer } from './library/message-consumer.ts'
export { toSink } from './library/message-sink.ts'
export { decodeOffset, encodeOffset, type OffsetView } from './library/offsets.ts'
export {
  type ExplainStage,
  Headrace,
  type HeadraceConfig,
  type InProcessStream,
  type NamedStreamOptions,
} from './library/open.ts'
export type { OptionInput, OptionInputs } from './library/option-inputs.ts'
export { type FormatCodec, registerFormat } from './library/register-format.ts'
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
export type { SqlParameters } from './library/sql-parameters.ts'
export type { PipelineResult, PipelineStatus, PipelineWait, RejectedRow, SqlPipeline } from './library/sql-pipeline.ts'
export type { SqlProblem } from './library/sql-problems.ts'
export type {
  Change,
  CheckResult,
  CopyOptions,
  CopyResult,
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
export { sinkBuilder, sourceBuilder, type UriBuilder } from './library/uri-builder.ts'
