import type { Clock } from '../core/clock.ts'
import type { AccountChecker } from '../datastreams/accounts.ts'
import type { DataStreamsService } from '../datastreams/service.ts'
import type { Store } from '../datastreams/store.ts'
import type { Directory } from './access/directory.ts'
import type { Signer } from './access/signer.ts'
import type { Deadlines } from './http/deadlines.ts'
import type { LiveHub } from './live/hub.ts'
import type { LiveSource } from './live/live-source.ts'
import type { Log } from './log.ts'
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
}
