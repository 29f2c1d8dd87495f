import type { Clock } from '../core/clock.ts'
import type { DataStreamsService } from '../datastreams/service.ts'
import type { Directory } from './access/directory.ts'
import type { Signer } from './access/signer.ts'
import type { Deadlines } from './http/deadlines.ts'
import type { Log } from './log.ts'
import type { ServiceSettings } from './settings.ts'

/** What handlers stand on. */
export interface Services {
  readonly streams: DataStreamsService
  readonly directory: Directory
  readonly signer: Signer
  readonly settings: ServiceSettings
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly log: Log
}
