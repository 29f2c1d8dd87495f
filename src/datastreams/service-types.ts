import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { AccountChecker } from './accounts.ts'
import type { Frame } from './frame.ts'
import type { FrameBus } from './frame-bus.ts'
import type { FrameInput } from './frame-fields.ts'
import type { GroupCommitOptions } from './group-commit.ts'
import type { IdempotentAnswer } from './idempotency.ts'
import type { ServiceHooks } from './operations.ts'
import type { OutboxOptions } from './outbox.ts'
import type { FrameOutcome } from './outcomes.ts'
import type { ProducerMark, Store, StreamExtent, WriterMark } from './store.ts'
import type { Retention } from './stream.ts'

export interface DataStreamsDeps {
  readonly accounts: AccountChecker
  readonly store: Store
  /** Where stored frames are published; without one they are only stored. */
  readonly bus?: FrameBus | undefined
  /** `outbox` (default): after the commit, again until the bus has them. `direct`: before it. */
  readonly busMode?: 'outbox' | 'direct' | undefined
  readonly outbox?: OutboxOptions | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly groupCommit?: GroupCommitOptions | undefined
  /** Of streams that have none. */
  readonly retention?: Retention | undefined
  /** Payload of one frame in characters; default 1 MiB. */
  readonly maxFrameBytes?: number | undefined
  /** Streams that are created do not activate themselves unless they say so. */
  readonly denyInactive?: boolean | undefined
  readonly hooks?: ServiceHooks | undefined
  readonly logger?: Pick<Console, 'warn'> | undefined
}

/** Further members of a frame that is created by code. */
export type FrameOptions = Pick<FrameInput, 'latencyMs' | 'status' | 'metadata' | 'observedAt' | 'traceparent'> & {
  /** When its first byte came, milliseconds since 1970; now by default. */
  readonly receivedAt?: number | undefined
}

/** A frame that was asked for once. */
export interface CreatedFrame {
  readonly frame: Frame
  /** The same frame was stored before. */
  readonly repeated: boolean
}

export interface CreateFramesOptions {
  /** All are stored, or the first fault is thrown and none is. */
  readonly atomic?: boolean | undefined
  readonly producer?: ProducerMark | undefined
  readonly writer?: WriterMark | undefined
  /** A key that `idempotency.begin` gave: its answer is kept in the commit of the frames; undefined frees the key. */
  readonly idempotency?:
    | {
        readonly key: string
        readonly hash: string
        answer(outcomes: readonly FrameOutcome[]): IdempotentAnswer | undefined
      }
    | undefined
}

/** What a stream holds, and who reads it. */
export interface StreamStats extends StreamExtent {
  readonly subscribers: number
}

export interface ServiceHealth {
  readonly state: 'healthy' | 'degraded' | 'unhealthy'
  readonly cause: string | undefined
}
