import { type ErrorClass, type ErrorCode, errorKinds } from '../core/error-kinds.ts'
import { type ErrorExtra, HeadraceError } from '../core/errors.ts'

/** Kind → code of the catalogue and message; a message with `<detail>` needs one. */
const kinds = {
  Disabled: { code: 'checkpoint_disabled', message: 'checkpointing is disabled' },
  DataDirRequired: { code: 'checkpoint_data_dir_required', message: 'data directory is required' },
  WalRequiresCheckpoint: { code: 'checkpoint_wal_requires_checkpoint', message: 'WAL mode requires checkpointing' },
  NoCheckpoint: { code: 'checkpoint_no_checkpoint', message: 'no checkpoint available' },
  Timeout: { code: 'checkpoint_timeout', message: 'checkpoint operation timed out' },
  InvalidConfig: { code: 'checkpoint_invalid_config', message: 'invalid checkpoint config: <detail>' },
  IoError: { code: 'checkpoint_io_error', message: 'checkpoint I/O error: <detail>' },
} as const satisfies Record<string, { code: ErrorCode; message: string }>

export type CheckpointErrorKind = keyof typeof kinds

/**
 * What is known of the snapshot whose storing failed. `absent`: it is not and will not be there, the epoch may be
 * aborted. `unknown`: it may be there, so nothing may be aborted and the instance stops; the next start decides.
 */
export type FailedOutcome = 'absent' | 'unknown'

export interface CheckpointErrorExtra extends ErrorExtra {
  /** The code whose class, HTTP status and exit code tell what to do; the own one when absent. */
  readonly like?: ErrorCode | undefined
  readonly outcome?: FailedOutcome | undefined
}

/** The one error of checkpoints. Two are equal when kind and detail are equal. */
export class CheckpointError extends HeadraceError {
  override readonly kind: CheckpointErrorKind
  readonly detail: string | undefined
  readonly outcome: FailedOutcome | undefined
  readonly like: ErrorCode

  constructor(kind: CheckpointErrorKind, detail?: string, extra: CheckpointErrorExtra = {}) {
    const { code, message } = kinds[kind]
    super(
      code,
      message.replace('<detail>', () => detail ?? ''),
      { ...extra, hint: extra.hint ?? errorKinds[code].fix },
    )
    this.name = 'CheckpointError'
    this.kind = kind
    this.detail = detail
    this.outcome = extra.outcome
    this.like = extra.like ?? code
  }

  override get class(): ErrorClass {
    return errorKinds[this.like].class
  }

  override get httpStatus(): number {
    return errorKinds[this.like].httpStatus
  }

  override get exitCode(): number {
    return errorKinds[this.like].exitCode
  }

  equals(other: unknown): boolean {
    return other instanceof CheckpointError && other.kind === this.kind && other.detail === this.detail
  }
}

/**
 * Somebody newer owns the checkpoints: `id` is in the place of what this instance wanted to store. `unknown` when the
 * own snapshot became visible and somebody may have built on it.
 */
export const fencedBy = (id: bigint, outcome: FailedOutcome = 'absent'): CheckpointError =>
  new CheckpointError('IoError', `fenced by a newer instance (checkpoint ${id})`, {
    like: 'connector_fenced',
    outcome,
    hint: 'stop this instance; the newer one goes on from the last complete checkpoint',
  })
