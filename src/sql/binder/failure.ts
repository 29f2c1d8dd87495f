import type { ErrorCode } from '../../core/error-kinds.ts'
import type { Suggestion } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Span } from '../../expr/bound.ts'
import { type Diagnostic, isWarning } from '../diagnostics.ts'

/** Ends the binding of one clause; the caller that can go on reports the diagnostic. */
export class BindFailure {
  /** None when what is wrong has been reported elsewhere. */
  readonly diagnostics: readonly Diagnostic[]

  constructor(...diagnostics: readonly Diagnostic[]) {
    this.diagnostics = diagnostics
  }
}

export interface FaultExtra {
  readonly hint: string | undefined
  readonly suggestions?: readonly Suggestion[] | undefined
}

export function fault(code: ErrorCode, message: string, span: Span, extra: FaultExtra): never {
  throw new BindFailure({ code, message, span, ...extra })
}

/** Fails without a word: the cause has been reported. */
export function silent(): never {
  throw new BindFailure()
}

export function unsupported(feature: string, span: Span, hint?: string): never {
  return fault('sql_feature_unsupported', `${feature} is not supported by this version`, span, {
    hint: hint ?? 'leave it out; the README lists what this version runs',
  })
}

const onceByMessage: ReadonlySet<ErrorCode> = new Set([
  'sql_column_not_found',
  'sql_function_not_found',
  'sql_source_not_found',
])

/** Collects the faults and warnings of a script, in the order they are found. */
export class Reporter {
  readonly #diagnostics: Diagnostic[] = []
  readonly #seen = new Set<string>()

  report(diagnostic: Diagnostic): void {
    const { code, span, message } = diagnostic
    // The same unknown name in several places is one mistake.
    const place = onceByMessage.has(code) ? '' : `${span.start} ${span.end} `
    const key = `${code} ${place}${message}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#diagnostics.push(diagnostic)
  }

  /** The result of `bind`, or undefined when it failed; the fault is kept. */
  attempt<T>(bind: () => T): T | undefined {
    try {
      return bind()
    } catch (failure) {
      this.#keep(failure)
      return undefined
    }
  }

  async attemptAsync<T>(bind: () => Promise<T>): Promise<T | undefined> {
    try {
      return await bind()
    } catch (failure) {
      this.#keep(failure)
      return undefined
    }
  }

  #keep(failure: unknown): void {
    if (!(failure instanceof BindFailure)) throw failure
    for (const diagnostic of failure.diagnostics) this.report(diagnostic)
  }

  get failed(): boolean {
    return this.#diagnostics.some((diagnostic) => !isWarning(diagnostic.code))
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics.toSorted((a, b) => a.span.start - b.span.start).slice(0, limits.diagnosticsMax)
  }
}
