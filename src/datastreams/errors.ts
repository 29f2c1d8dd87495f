import type { datastreamsErrorKinds } from '../core/datastreams-error-kinds.ts'
import { HeadraceError } from '../core/errors.ts'

export type DatastreamsCode = keyof typeof datastreamsErrorKinds

/** One field that is not valid. */
export interface FieldFault {
  /** JSON pointer into the body. */
  readonly pointer: string
  readonly code: 'required' | 'type' | 'enum' | 'range' | 'too_long' | 'format'
  readonly detail: string
  /** The whole sentence, with the name of the field where it takes it. */
  readonly message: string
}

/** The base of what the service throws. `code` is that of the HTTP answer. */
export class DatastreamsError extends HeadraceError {
  declare readonly code: DatastreamsCode

  constructor(code: DatastreamsCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, { details })
    this.name = 'DatastreamsError'
  }
}

/** All fields that are not valid; `message` is that of the first. */
export class ValidationError extends DatastreamsError {
  readonly field: string
  readonly errors: readonly FieldFault[]

  constructor(errors: readonly FieldFault[]) {
    super('validation', errors[0]!.message, { errors })
    this.name = 'ValidationError'
    this.field = errors[0]!.pointer.slice(1)
    this.errors = errors
  }
}

/** A class per reaction; made here so that every one is the same (rulings 55). */
function errorClass<C extends DatastreamsCode>(name: string, codes: readonly [C, ...C[]]) {
  class Named extends DatastreamsError {
    constructor(message: string, details: Readonly<Record<string, unknown>> & { readonly code?: C } = {}) {
      const { code = codes[0], ...rest } = details
      super(code, message, rest)
      this.name = name
    }

    /** Told by the code, so that it also holds for an error of another copy of the package. */
    static is(error: unknown): boolean {
      return (codes as readonly unknown[]).includes((error as { code?: unknown } | null)?.code)
    }
  }
  Object.defineProperty(Named, 'name', { value: name })
  return Named
}

export const NotFoundError = errorClass('NotFoundError', ['not_found', 'no_frames'])
export const AccessDeniedError = errorClass('AccessDeniedError', ['forbidden', 'ownership'])
export const OwnershipError = errorClass('OwnershipError', ['ownership'])
export const ConflictError = errorClass('ConflictError', [
  'sequence_conflict',
  'stream_paused',
  'stream_not_active',
  'already_exists',
  'precondition_failed',
  'request_in_progress',
  'producer_gap',
])
export const ServiceUnavailableError = errorClass('ServiceUnavailableError', ['unavailable'])
export const TimeoutError = errorClass('TimeoutError', ['timeout'])
/** Something is wrong with the service itself. */
export const InternalError = errorClass('InternalError', ['internal'])
export const RateLimitedError = errorClass('RateLimitedError', ['rate_limited', 'quota_exceeded'])
export const BusUnavailableError = errorClass('BusUnavailableError', ['bus_error'])

export const isNotFound = NotFoundError.is
export const isConflict = ConflictError.is
export const isAccessDenied = AccessDeniedError.is
export const isUnavailable = ServiceUnavailableError.is
export const isValidation = (error: unknown): boolean => (error as { code?: unknown } | null)?.code === 'validation'
