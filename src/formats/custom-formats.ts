import type { Row } from '../core/row-batch.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { DecoderColumn } from './decoder.ts'
import type { EncoderSpec } from './encoder.ts'

/** A format that somebody else wrote, one record at a time. */
export interface CustomFormat {
  /** A record is a line, or all bytes of a split. */
  readonly framing: 'line' | 'whole'
  /** Record → the values of these columns; undefined: the record is no row. What it throws rejects the record. */
  readonly reader?:
    | ((columns: readonly DecoderColumn[]) => (record: Uint8Array) => readonly Value[] | undefined)
    | undefined
  /** Row → one record, without its end. */
  readonly writer?: ((spec: EncoderSpec) => (row: Row) => Uint8Array) | undefined
  /** Columns that the first records tell. */
  readonly columns?: ((records: readonly Uint8Array[]) => Schema) | undefined
}

const formats = new Map<string, CustomFormat>()

/** Of the process, as names of formats are. */
export const customFormat = (name: string): CustomFormat | undefined => formats.get(name)

export const isCustomFormat = (name: string): boolean => formats.has(name)

/** False: the name is taken. */
export function addCustomFormat(name: string, format: CustomFormat, replace: boolean): boolean {
  if (formats.has(name) && !replace) return false
  formats.set(name, format)
  return true
}

const LINE_FEED = 10

/** The first records of a sample, whole ones only unless the sample is all there is. */
export function sampleRecords(
  { framing }: CustomFormat,
  { bytes, complete }: { readonly bytes: Uint8Array; readonly complete: boolean },
  most: number,
): readonly Uint8Array[] {
  if (framing === 'whole') return complete ? [bytes] : []
  const records: Uint8Array[] = []
  for (let at = 0; at < bytes.length && records.length < most; ) {
    const feed = bytes.indexOf(LINE_FEED, at)
    if (feed < 0 && !complete) break
    const end = feed < 0 ? bytes.length : feed
    records.push(bytes.subarray(at, end > at && bytes[end - 1] === 13 ? end - 1 : end))
    at = end + 1
  }
  return records
}
