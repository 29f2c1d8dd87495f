import { HeadraceError, HeadraceErrors } from '../../core/errors.ts'
import { isWarning } from '../../sql/diagnostics.ts'

/** One thing that `validate` found in a text. */
export interface SqlProblem {
  readonly code: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** 1-based, in code points; absent for what has no place in the text. */
  readonly line?: number | undefined
  readonly column?: number | undefined
  /** What to do about it. */
  readonly fix?: string | undefined
  /** Changes of the text that would do. */
  readonly suggestions: readonly { readonly replace: string; readonly with: string }[]
}

/** Throws on what is no fault of the text. */
export function sqlProblems(error: unknown): readonly SqlProblem[] {
  if (error instanceof HeadraceErrors) return error.errors.flatMap(sqlProblems)
  if (!(error instanceof HeadraceError) || error.class === 'internal') throw error
  const { code, message, hint, at, suggestions } = error
  const place = at?.kind === 'text' ? { line: at.line, column: at.column } : {}
  const severity = isWarning(code) ? 'warning' : 'error'
  return [{ code, severity, message, ...place, ...(hint === undefined ? {} : { fix: hint }), suggestions }]
}
