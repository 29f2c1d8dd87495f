import { createHash } from '../core/crypto.ts'
import { type ErrorCode, errorKinds, isErrorCode } from '../core/error-kinds.ts'
import { HeadraceError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { field, type Schema, types } from '../core/types.ts'
import type { Value } from '../core/values.ts'

/** One row that went no further. */
export interface DeadLetter {
  readonly code: string
  readonly detail: string
  readonly stage: 'decode' | 'expression' | 'window' | 'sink'
  /**
   * The source as printed (several, separated by commas, where rows were put together; empty for VALUES), its split, and
   * the 0-based row in the split; absent when no longer known.
   */
  readonly source: string
  readonly split: string | undefined
  readonly ordinal: number | undefined
  /** Offset of the record's first byte in the split. */
  readonly byte: number | undefined
  /** The original bytes, or the row as JSON where they are gone. */
  readonly value: Uint8Array
  readonly encoding: 'raw' | 'row'
  /** Where in the SQL text: `file:line:column`. */
  readonly sqlPosition: string | undefined
  /** Node of the source in its plan; undefined where rows of several were put together. */
  readonly sourceId?: string | undefined
  /** The row as JSON as the failing step saw it; undefined where `value` is that. */
  readonly rowAtStage?: string | undefined
  /** The sink that refused the row. */
  readonly sink?: string | undefined
}

/** What happens to bad rows of one kind. */
export type RowPolicy = 'dlq' | 'skip' | 'fail'

/** Counts the rows that went no further; hands the first ones on, and all of them to a queue when there is one. */
export class DeadLetters {
  readonly #onFirst: (letter: DeadLetter) => void
  readonly #skipped: SkippedRows | undefined
  readonly byCode = new Map<string, number>()
  /** Entries that wait to be written; kept only when `queued`. */
  readonly #pending: DeadLetter[] = []
  queued = false
  #printed = 0
  count = 0
  /** Entries there were, of this run. */
  kept = 0
  /** Of them, those that a policy dropped, and those that were records and never rows. */
  readonly shares = { skipped: 0, undecoded: 0 }

  /** `skipped`: where rows that a policy drops are told. */
  constructor(onFirst: (letter: DeadLetter) => void, skipped?: SkippedRows) {
    this.#onFirst = onFirst
    this.#skipped = skipped
  }

  /** `skip` only counts; `fail` throws the row's error, which ends the pipeline. */
  add(letter: DeadLetter, policy: RowPolicy = 'dlq'): void {
    if (policy === 'fail') {
      throw new HeadraceError(letter.code as ErrorCode, `${placeOf(letter)}: ${letter.detail}`, {
        hint: "on_error or on_expr_error = 'dlq' goes on without the row",
      })
    }
    this.count++
    this.byCode.set(letter.code, (this.byCode.get(letter.code) ?? 0) + 1)
    if (letter.stage === 'decode') this.shares.undecoded++
    if (policy === 'skip') {
      this.shares.skipped++
      this.#skipped?.note(letter)
    } else this.keep(letter)
  }

  /** The counts of the run that is taken up. */
  restore(byCode: Readonly<Record<string, number>>, shares: Partial<DeadLetters['shares']>): void {
    // What a run that failed had not written yet comes again.
    this.#pending.length = 0
    Object.assign(this.shares, { skipped: 0, undecoded: 0 }, shares)
    this.byCode.clear()
    for (const [code, count] of Object.entries(byCode)) this.byCode.set(code, count)
    this.count = Object.values(byCode).reduce((sum, count) => sum + count, 0)
  }

  /** A row that failed before is no more: it is not counted any longer, so that no count depends on merged changes. */
  takeBack(code: string): void {
    const counted = this.byCode.get(code) ?? 0
    if (counted === 0) return
    this.count--
    if (counted === 1) this.byCode.delete(code)
    else this.byCode.set(code, counted - 1)
  }

  /** An entry that is counted elsewhere: a late row, once for every window that it missed. */
  keep(letter: DeadLetter): void {
    this.kept++
    if (this.#printed++ < limits.rejectsPrinted) this.#onFirst(letter)
    if (this.queued) this.#pending.push(letter)
  }

  /** The entries since the last call, to be written. */
  take(): DeadLetter[] {
    return this.#pending.splice(0)
  }
}

/** Tells of rows that `on_error = 'skip'` drops: the first ones of each code in each minute. */
export class SkippedRows {
  readonly #onSkip: (letter: DeadLetter) => void
  readonly #elapsedMs: () => number
  readonly #minutes = new Map<string, { readonly sinceMs: number; told: number }>()

  constructor(onSkip: (letter: DeadLetter) => void, elapsedMs: () => number) {
    this.#onSkip = onSkip
    this.#elapsedMs = elapsedMs
  }

  note(letter: DeadLetter): void {
    const now = this.#elapsedMs()
    let minute = this.#minutes.get(letter.code)
    if (minute === undefined || now - minute.sinceMs >= 60_000) {
      minute = { sinceMs: now, told: 0 }
      this.#minutes.set(letter.code, minute)
    }
    if (minute.told++ < limits.skippedPrinted) this.#onSkip(letter)
  }
}

/** `source:row (byte n)`, rows counted from 1. */
export function placeOf({ source, split, ordinal, byte }: DeadLetter): string {
  const where =
    split === undefined || source.includes(split) ? source : split.includes(source) ? split : `${source} ${split}`
  const row = ordinal === undefined ? '' : `:${ordinal + 1}`
  return `${where}${row}${byte === undefined ? '' : ` (byte ${byte})`}`
}

/** The five parts of an entry (resilience.md §6), each but the id as JSON. */
export const deadLetterSchema: Schema = {
  fields: [
    field('id', types.string, false),
    field('original_message', types.json, false),
    field('error_details', types.json, false),
    field('retry_info', types.json, false),
    field('metadata', types.json, false),
  ],
}

export const CATEGORIES = ['parsing', 'validation', 'transient', 'permanent', 'late'] as const
export type Category = (typeof CATEGORIES)[number]

/** `transient`: tries again were used up; `permanent`: everything else. */
export function categoryOf(code: string): Category {
  const known = BY_CODE[code]
  if (known !== undefined) return known
  return isErrorCode(code) && isPassing(errorKinds[code].class) ? 'transient' : 'permanent'
}

const isPassing = (errorClass: string): boolean => errorClass === 'transient' || errorClass === 'throttled'

const BY_CODE: Readonly<Record<string, Category>> = {
  connector_record_invalid: 'parsing',
  connector_record_too_large: 'parsing',
  row_not_null_violated: 'validation',
  row_check_violated: 'validation',
  row_late: 'late',
  row_null_event_time: 'late',
  row_future_timestamp: 'late',
}

/** An entry as a row of `deadLetterSchema`. The same failure has the same id. */
export function deadLetterRow(letter: DeadLetter, run: { pipeline: string | undefined; nowMicros: number }): Value[] {
  const { code, detail, stage, source, split, ordinal, byte, value, encoding, sqlPosition } = letter
  const hash = createHash('sha256')
  hash.update([run.pipeline ?? '', source, split ?? '', ordinal ?? '', stage, code].join('\u0000'))
  hash.update(value)
  const time = new Date(run.nowMicros / 1000).toISOString()
  return [
    hash.digest('hex').slice(0, 32),
    JSON.stringify({
      value: Buffer.from(value).toString('base64'),
      source_uri: source,
      partition: split ?? null,
      offset: ordinal ?? null,
      position: byte ?? null,
      sha256: createHash('sha256').update(value).digest('hex'),
      encoding,
    }),
    JSON.stringify({
      error_type: code,
      error_message: detail,
      error_category: categoryOf(code),
      error_class: 'poison',
      retryable: false,
      stage,
      processor: sqlPosition ?? null,
    }),
    JSON.stringify({ attempt_count: 1, first_failure: time, last_attempt: time, next_retry: null, state: 'pending' }),
    JSON.stringify({ dlq_timestamp: time, pipeline: run.pipeline ?? null, source_stream: source }),
  ]
}
