// The door of `headrace/datastreams`: streams and frames without HTTP.
export { Bus } from '../channels/bus.ts'
export {
  type Account,
  type AccountChecker,
  StoreAccounts,
} from '../datastreams/accounts.ts'
export { type ApiKey, createKey, parseKey, SCOPES, type Scope, verifyKey } from '../datastreams/api-keys.ts'
export type { DomainCounters } from '../datastreams/counters.ts'
export type { Descriptor, Manifest } from '../datastreams/describe.ts'
export {
  AccessDeniedError,
  BusUnavailableError,
  ConflictError,
  DatastreamsError,
  InternalError,
  isAccessDenied,
  isConflict,
  isNotFound,
  isUnavailable,
  isValidation,
  NotFoundError,
  OwnershipError,
  RateLimitedError,
  ServiceUnavailableError,
  TimeoutError,
  ValidationError,
} from '../datastreams/errors.ts'
export type { Frame, FrameStatus } from '../datastreams/frame.ts'
export { type FrameBus, type FrameMessage, InProcessBus } from '../datastreams/frame-bus.ts'
export type { FrameInput } from '../datastreams/frame-fields.ts'
export { HttpAccounts, type HttpAccountsOptions } from '../datastreams/http-accounts.ts'
export type { Idempotency, IdempotentAnswer } from '../datastreams/idempotency.ts'
export type { Follower, LivePage, LiveQuery, LiveStart } from '../datastreams/live.ts'
export { MemoryStore } from '../datastreams/memory-store.ts'
export type { SlaAnswer } from '../datastreams/monitors.ts'
export type { ServiceHooks } from '../datastreams/operations.ts'
export type { OutboxOptions } from '../datastreams/outbox.ts'
export type { FrameOutcome } from '../datastreams/outcomes.ts'
export { DataStreamsService } from '../datastreams/service.ts'
export type {
  CreatedFrame,
  CreateFramesOptions,
  DataStreamsDeps,
  FrameOptions,
  ServiceHealth,
  StreamStats,
} from '../datastreams/service-types.ts'
export type {
  Append,
  Appended,
  FrameQuery,
  Store,
  StreamExtent,
  StreamNews,
  StreamQuery,
} from '../datastreams/store.ts'
export type { Metadata, Retention, Stream, StreamFields } from '../datastreams/stream.ts'
export type { StreamInput } from '../datastreams/stream-fields.ts'
export { type StreamStoreOptions, streamStore } from './stream-store.ts'
