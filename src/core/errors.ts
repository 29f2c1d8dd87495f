import { type ErrorClass, type ErrorCode, errorKinds } from './error-kinds.ts'

/** A place in a text: `line` and `column` are 1-based and count code points; the end is exclusive. */
export interface TextPlace {
  readonly kind: 'text'
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  /** The whole source line at `line`, without its line break. */
  readonly sourceLine: string
}

/** A place in a structured value (JSON pointer), in a URI (0-based offset in code points), or in stored data. */
export type Place =
  | TextPlace
  | { readonly kind: 'pointer'; readonly pointer: string }
  | { readonly kind: 'uri'; readonly uri: string; readonly column: number }
  | { readonly kind: 'data'; readonly source: string; readonly offset: string }

/** A machine-applicable change: replace the text `replace` at the place by `with`. */
export interface Suggestion {
  readonly replace: string
  readonly with: string
}

export interface ErrorExtra {
  readonly hint?: string | undefined
  readonly at?: Place | undefined
  readonly suggestions?: readonly Suggestion[] | undefined
  readonly cause?: unknown
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/**
 * The one error of the product. It ends a statement or a job; expected outcomes (a bad row, nothing yet) are values.
 * `code` is public and never reused; class, HTTP status and exit code come from the catalogue in `error-kinds.ts`.
 */
export class HeadraceError extends Error {
  /** What kind of error it is: of a family one of its kinds, else the code in the spelling of a type. */
  readonly kind: string
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly at: Place | undefined
  readonly suggestions: readonly Suggestion[]
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(code: ErrorCode, message: string, extra: ErrorExtra = {}) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause })
    this.name = 'HeadraceError'
    this.kind = kindOfCode(code)
    this.code = code
    this.hint = extra.hint
    this.at = extra.at
    this.suggestions = extra.suggestions ?? []
    this.details = extra.details
  }

  get class(): ErrorClass {
    return errorKinds[this.code].class
  }

  get httpStatus(): number {
    return errorKinds[this.code].httpStatus
  }

  get exitCode(): number {
    return errorKinds[this.code].exitCode
  }

  get retryable(): boolean {
    return this.class === 'transient' || this.class === 'throttled'
  }

  /** What a log line or an answer tells of it: no stack, no cause, no secret. */
  toJSON(): Readonly<Record<string, unknown>> {
    const { kind, code, message, hint, at, details } = this
    return {
      kind,
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(at === undefined ? {} : { at }),
      ...exact(details),
    }
  }
}

/** JSON has no bigint. */
const exact = (details: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  )

const kindOfCode = (code: string): string =>
  code.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/**
 * Several faults of one text or option set, reported together; `errors` has at least one entry. What one error says of
 * itself (code, class, hint) it says of the first.
 */
export class HeadraceErrors extends Error {
  readonly kind = 'Several'
  readonly errors: readonly HeadraceError[]

  constructor(errors: readonly HeadraceError[]) {
    super(errors.map((error) => error.message).join('\n'))
    this.name = 'HeadraceErrors'
    this.errors = errors
  }

  get code(): ErrorCode {
    return this.errors[0]!.code
  }

  get class(): ErrorClass {
    return this.errors[0]!.class
  }

  get hint(): string | undefined {
    return this.errors.find(({ hint }) => hint !== undefined)?.hint
  }

  /** Trying again helps only where it helps against all. */
  get retryable(): boolean {
    return this.errors.every(({ retryable }) => retryable)
  }

  toJSON(): Readonly<Record<string, unknown>> {
    const { kind, code, message, errors } = this
    return { kind, code, message, errors: errors.map((error) => error.toJSON()) }
  }
}

/** Marks what only a bug can reach; stays on in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new HeadraceError('internal_assertion', message)
}

/** The end of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new HeadraceError('internal_assertion', `unreachable value: ${JSON.stringify(value)}`)
}
