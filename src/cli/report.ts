import { HeadraceError, HeadraceErrors } from '../core/errors.ts'
import { type DeadLetter, placeOf } from '../headrace/dead-letters.ts'
import type { Digest } from '../headrace/run-digest.ts'
import { errorJson, isWarning, renderError } from '../sql/diagnostics.ts'
import { grouped } from './columns.ts'
import type { Io } from './io.ts'

/** All faults of an error, in order; anything unknown becomes `internal_assertion`. */
export function faultsOf(error: unknown): readonly HeadraceError[] {
  if (error instanceof HeadraceError) return [error]
  if (error instanceof HeadraceErrors) return error.errors
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return [new HeadraceError('internal_assertion', message, { cause: error })]
}

/** Prints an error and returns the exit code: that of the gravest fault. */
export function reportError(error: unknown, io: Io, json: boolean): number {
  const faults = faultsOf(error)
  for (const fault of faults) {
    if (fault.code === 'sink_closed') continue
    if (json) io.err(`${JSON.stringify(errorJson(fault))}\n`)
    else io.err(`${colored(renderError(fault), fault, io)}\n`)
  }
  return Math.max(...faults.map((fault) => fault.exitCode))
}

/** An error of what comes before rows flow: when the user stopped it, that is no fault. */
export function reportUnlessStopped(error: unknown, io: Io, json: boolean): number {
  return io.signal.aborted ? 0 : reportError(error, io, json)
}

function colored(text: string, fault: HeadraceError, io: Io): string {
  const style = isWarning(fault.code) ? 'warning' : 'error'
  return text.replace(/^(error|warning)\[[^\]]*\]/, (head) => io.paint(style, head))
}

/** One of the first dead letters, as a line. */
export const printDeadLetter = (letter: DeadLetter, io: Io): void => printLetter('dead letter', letter, io)

/** A row that `on_error = 'skip'` drops. */
export const printSkipped = (letter: DeadLetter, io: Io): void => printLetter('skipped', letter, io)

function printLetter(title: string, letter: DeadLetter, io: Io): void {
  const text = Buffer.from(letter.value).toString('utf8').trimEnd()
  const value = text.length > 200 ? `${text.slice(0, 200)}…` : text
  const sql = letter.sqlPosition === undefined ? '' : ` at ${letter.sqlPosition}`
  const head = io.paint('warning', `${title}[${letter.code}]`)
  io.err(`${head} ${placeOf(letter)}: ${letter.detail}${sql}${value === '' ? '' : `: ${value}`}\n`)
}

/** The last line of a run. */
export function digestText(digest: Digest): string {
  const rejected = [...digest.rejected].reduce((sum, [, count]) => sum + count, 0)
  const codes = [...digest.rejected].map(([code, count]) => `${code} ${grouped(count)}`).join(', ')
  const { balance } = digest
  const filtered = balance?.filtered ?? 0
  const skipped = balance?.skipped ?? 0
  const parts = [
    `in ${grouped(balance?.in ?? digest.rowsIn)}`,
    ...digest.rowsOut.map(
      ({ target, rows, published }) => `out ${grouped(rows)} → ${target}${published ? '' : ' (not published)'}`,
    ),
    ...(filtered > 0 ? [`filtered ${grouped(filtered)}`] : []),
    ...(digest.lateRows > 0 ? [`late ${grouped(digest.lateRows)}`] : []),
    ...(rejected > 0 ? [`${skipped === rejected ? 'skipped' : 'dead letters'} ${grouped(rejected)} (${codes})`] : []),
    `${(digest.elapsedMs / 1000).toFixed(2)} s`,
  ]
  const head = `${digest.complete ? 'done' : 'stopped'}: ${parts.join(' · ')}`
  return [head, ...hintsOf(digest).map((hint) => `  hint: ${hint}`)].join('\n')
}

/** What to do about records that did not fit columns told from a sample. */
const hintsOf = ({ misfits }: Digest): readonly string[] =>
  misfits.map(
    (uri) =>
      `the columns of '${uri}' come from a sample that ended before its end; ` +
      `declare them with types that fit all records: CREATE STREAM s (column TYPE, …) FROM '${uri}'`,
  )

export function digestJson(digest: Digest): string {
  return JSON.stringify({
    complete: digest.complete,
    rows_in: digest.rowsIn,
    rows_out: digest.rowsOut,
    late_rows: digest.lateRows,
    dead_letters: Object.fromEntries(digest.rejected),
    balance: digest.balance ?? null,
    epoch: digest.epoch === undefined ? null : String(digest.epoch),
    hints: hintsOf(digest),
    elapsed_ms: Math.round(digest.elapsedMs),
  })
}
