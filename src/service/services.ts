import type { Clock } from '../core/clock.ts'
import type { AccountChecker } from '../datastreams/accounts.ts'
import type { DataStreamsService } from '../datastreams/service.ts'
import type { Store } from '../datastreams/store.ts'
import type { Directory } from './access/directory.ts'
import type { Signer } from './access/signer.ts'
import type { Deadlines } from './http/deadlines.ts'
import type { InFlight } from './http/in-flight.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { LiveHub } from './live/hub.ts'
import type { LiveSource } from './live/live-source.ts'
import type { Log } from './log.ts'
import type { Family } from './metrics/family.ts'
import type { HttpCounters } from './metrics/http-counters.ts'
import type { ServiceSettings } from './settings.ts'

/** What handlers stand on. */
export interface Services {
  readonly streams: DataStreamsService
  readonly live: LiveSource
  readonly hub: LiveHub
  readonly store: Store
  readonly accounts: AccountChecker
  /** Of keys; secret. */
  readonly pepper: string
  readonly directory: Directory
  readonly signer: Signer
  readonly settings: ServiceSettings
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly log: Log
  readonly lifecycle: Lifecycle
  readonly inFlight: InFlight
  readonly requests: HttpCounters
  /** All metrics. */
  readonly families: () => readonly Family[]
  /** Methods and paths, for the manifest. */
  readonly endpoints: readonly string[]
  /** The text of the OpenAPI document. */
  readonly document: () => string
  /** On the monotonic clock. */
  readonly startedAtMs: number
}
