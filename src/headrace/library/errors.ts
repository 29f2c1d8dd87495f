import { type ErrorCode, errorKinds } from '../../core/error-kinds.ts'
import { type ErrorExtra, HeadraceError, HeadraceErrors } from '../../core/errors.ts'
import { type OptionNames, optionsFault } from '../../core/option-names.ts'
import type { Side } from '../../core/option-types.ts'

/** What an error of a source or sink is about. */
export type DataSourceErrorKind =
  | 'Configuration'
  | 'Connection'
  | 'Schema'
  | 'Io'
  | 'Unsupported'
  | 'SourceSpecific'
  | 'SinkSpecific'

/** What a source or sink throws. `kind` says what it is about, `code` what exactly; both are stable. */
export class DataSourceError extends HeadraceError {
  override readonly kind: DataSourceErrorKind

  constructor(kind: DataSourceErrorKind, code: ErrorCode, message: string, extra: ErrorExtra = {}) {
    super(code, message, extra)
    this.name = 'DataSourceError'
    this.kind = kind
  }
}

/** One thing that is wrong with a URI or an option. */
export interface ConfigProblem {
  readonly code: ErrorCode
  readonly message: string
  /** Name as it was given; absent for a bad URI. */
  readonly option?: string | undefined
  /** The value that was given; `***` for a secret. */
  readonly value?: unknown
  readonly allowed?: string | undefined
  readonly hint?: string | undefined
}

/** A URI or options that cannot be used: all that is wrong with them, together. */
export class ConfigError extends DataSourceError {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    const [first] = problems
    const message = problems.length === 1 ? first!.message : problems.map((one) => `- ${one.message}`).join('\n')
    super('Configuration', first!.code, message, { hint: first!.hint ?? errorKinds[first!.code].fix })
    this.name = 'ConfigError'
    this.problems = problems
  }

  override toJSON(): Readonly<Record<string, unknown>> {
    return { ...super.toJSON(), problems: this.problems }
  }
}

/** Problems out of what the option parser or the URI parser threw; anything else is thrown on. */
export function problemsOf(error: unknown): readonly ConfigProblem[] {
  if (error instanceof ConfigError) return error.problems
  if (error instanceof HeadraceErrors) return error.errors.flatMap(problemsOf)
  if (!(error instanceof HeadraceError)) throw error
  const { code, message, hint, details } = error
  return [{ code, message, hint, ...(details as Pick<ConfigProblem, 'option' | 'value' | 'allowed'> | undefined) }]
}

/** A call that the types do not have, from a program that no compiler has looked at. */
export const misuse = (message: string, hint: string, kind: DataSourceErrorKind = 'Configuration'): DataSourceError =>
  new DataSourceError(kind, 'library_usage', message, { hint })

/** Throws for options that are no object, or that have a name which nobody reads. */
export function refuseUnknown<T>(what: string, given: T | undefined, known: OptionNames<T>): void {
  const fault = optionsFault(what, given, known as Readonly<Record<string, true>>)
  if (fault !== undefined) throw misuse(fault.message, fault.hint)
}

/** What a connector cannot do; `capability` is its name in the list of `metadata()`. */
export function unsupported(what: string, capability: string, hint?: string): DataSourceError {
  return new DataSourceError(
    'Unsupported',
    'connector_operation_unsupported',
    `${what}: no capability "${capability}"`,
    {
      hint: hint ?? 'metadata() lists what it can do',
      details: { capability },
    },
  )
}

const KINDS: Partial<Record<ErrorCode, DataSourceErrorKind>> = {
  connector_unreachable: 'Connection',
  connector_timeout: 'Connection',
  connector_throttled: 'Connection',
  connector_auth_failed: 'Connection',
  connector_schema_mismatch: 'Schema',
  sql_schema_unknown: 'Schema',
  connector_not_found: 'Io',
  connector_forbidden: 'Io',
  connector_capacity: 'Io',
  connector_data_corrupt: 'Io',
  target_exists: 'Io',
  sink_closed: 'Io',
  sink_locked: 'Io',
  not_implemented: 'Unsupported',
  connector_side_unsupported: 'Unsupported',
  connector_uri_invalid: 'Configuration',
  connector_option_invalid: 'Configuration',
  connector_option_missing: 'Configuration',
  connector_option_unknown: 'Configuration',
  connector_option_conflict: 'Configuration',
}

/** The same error as the façades throw it. What is no error of Headrace stays as it is. */
export function asDataSourceError(error: unknown, side: Side): unknown {
  if (error instanceof HeadraceErrors) return new ConfigError(problemsOf(error))
  if (!(error instanceof HeadraceError) || error instanceof DataSourceError) return error
  const { code, message, hint, at, suggestions, details } = error
  // What may pass is out there; what will not is of the connector.
  const other = error.retryable ? 'Connection' : side === 'source' ? 'SourceSpecific' : 'SinkSpecific'
  const kind = KINDS[code] ?? other
  const fix = hint ?? errorKinds[code].fix
  return new DataSourceError(kind, code, message, { hint: fix, at, suggestions, details, cause: error })
}

/** Runs a task of a connector; its errors are those of the façade. */
export async function guarded<T>(side: Side, task: () => Promise<T> | T): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw asDataSourceError(error, side)
  }
}
