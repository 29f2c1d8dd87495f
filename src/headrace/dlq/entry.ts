import { createHash } from '../../core/crypto.ts'
import { errorKinds, isErrorCode } from '../../core/error-kinds.ts'
import { HeadraceError } from '../../core/errors.ts'
import { type Category, categoryOf, type DeadLetter } from '../dead-letters.ts'

/** The parts of a stored entry (resilience.md §6), without the bytes of the original. */
export interface EntryFacts {
  readonly id: string
  readonly original_message: OriginalFacts
  readonly error_details: ErrorDetails
  readonly metadata: EntryMetadata
}

export interface OriginalFacts {
  readonly source_uri: string
  /** Node of the source in its plan. */
  readonly source_id: string | null
  readonly partition: string | null
  /** Row in the split, from 0. */
  readonly offset: number | null
  /** Offset of the record's first byte in the split. */
  readonly position: number | null
  /** Of the whole original. */
  readonly sha256: string
  /** Of the whole original. */
  readonly bytes: number
  /** `raw`: the bytes of the source; `row`: the row as JSON, where they were gone. */
  readonly encoding: 'raw' | 'row'
  /** Only the first bytes are kept; `stored_sha256` is their digest. */
  readonly truncated?: true | undefined
  readonly stored_sha256?: string | undefined
}

export interface ErrorDetails {
  readonly error_type: string
  readonly error_message: string
  readonly error_category: Category
  readonly error_class: string
  readonly retryable: boolean
  readonly stage: DeadLetter['stage']
  /** Where in the SQL text. */
  readonly processor: string | null
  /** The column that the decoder named. */
  readonly field: string | null
  readonly record_at_stage: string | null
}

export interface EntryMetadata {
  readonly dlq_timestamp: string
  readonly pipeline: string
  /** Hash of its plan. */
  readonly pipeline_version: string
  readonly source_stream: string
  readonly sink: string | null
  readonly headrace_version: string
}

/** What the entries of one run have in common. */
export interface EntryRun {
  readonly pipeline: string
  readonly planHash: string
  readonly version: string
  /** Longer originals are cut. */
  readonly messageBytesMax: number
  /** The identity of the log behind a source, by its node. */
  readonly incarnationOf: (sourceId: string | undefined) => string
}

/** Bytes that are kept of an original that is too long. */
const KEPT_BYTES = 64 * 1024

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * The same failure has the same id, whatever run finds it: pipeline, source and its incarnation, split, row, stage, place
 * in the SQL, sink; `nth` tells failures of one place apart that came of the same row. What has no place goes by its bytes,
 * and so do late rows, which are one entry for each window that they missed.
 */
export function entryId(letter: DeadLetter, run: EntryRun, nth: number): string {
  const { source, sourceId, split, ordinal, stage, sqlPosition, sink, value } = letter
  const hash = createHash('sha256')
  // The name of the script's file is no part: it may be given relative or absolute.
  const place = sqlPosition === undefined ? '' : sqlPosition.split(':').slice(-2).join(':')
  const parts = [run.pipeline, source, run.incarnationOf(sourceId), split, ordinal, stage, place, sink, nth]
  hash.update(parts.map((part) => String(part ?? '')).join('\u0000'))
  if (ordinal === undefined || stage === 'window') hash.update('\u0000').update(value)
  return hash.digest('hex').slice(0, 32)
}

export function errorDetails(letter: DeadLetter): ErrorDetails {
  const { code, detail, stage, sqlPosition, rowAtStage } = letter
  const known = isErrorCode(code) ? errorKinds[code].class : 'poison'
  return {
    error_type: code,
    error_message: detail,
    error_category: categoryOf(code),
    error_class: known,
    retryable: known === 'transient' || known === 'throttled',
    stage,
    processor: sqlPosition ?? null,
    field: /^column "((?:[^"\\]|\\.)*)"/.exec(detail)?.[1] ?? null,
    record_at_stage: rowAtStage ?? null,
  }
}

/** An entry of a letter, and the bytes that are kept of its original. */
export function entryOf(
  letter: DeadLetter,
  run: EntryRun,
  at: { readonly id: string; readonly nowMicros: number },
): { readonly facts: EntryFacts; readonly bytes: Uint8Array } {
  const { source, sourceId, split, ordinal, byte, value, encoding, sink } = letter
  const isLong = value.length > run.messageBytesMax
  const bytes = isLong ? value.subarray(0, KEPT_BYTES) : value
  const facts: EntryFacts = {
    id: at.id,
    original_message: {
      source_uri: source,
      source_id: sourceId ?? null,
      partition: split ?? null,
      offset: ordinal ?? null,
      position: byte ?? null,
      sha256: sha256(value),
      bytes: value.length,
      encoding,
      ...(isLong ? { truncated: true, stored_sha256: sha256(bytes) } : {}),
    },
    error_details: errorDetails(letter),
    metadata: {
      dlq_timestamp: isoOf(at.nowMicros),
      pipeline: run.pipeline,
      pipeline_version: run.planHash,
      source_stream: source,
      sink: sink ?? null,
      headrace_version: run.version,
    },
  }
  return { facts, bytes }
}

export const isoOf = (micros: number): string => new Date(micros / 1000).toISOString()

/** The bytes of an entry must be those that were stored. */
export function checkBytes({ id, original_message: original }: EntryFacts, bytes: Uint8Array): void {
  if (sha256(bytes) === (original.stored_sha256 ?? original.sha256)) return
  throw new HeadraceError('connector_data_corrupt', `the bytes of dead letter ${id} are not those that were stored`, {
    hint: 'restore the folder of dead letters from a copy; the source may still have the row',
  })
}
