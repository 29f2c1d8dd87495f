import { changeSymbols } from './change.ts'
import type { Value } from './values.ts'

/** What a source knows of a row beside its columns. */
export interface RowFacts {
  readonly split: string
  readonly source: string
  /** Position of the row in its split. */
  readonly offset: number
  readonly ingestMicros: number
  readonly change?: number | undefined
  readonly partition?: number | undefined
  readonly timestampMicros?: number | undefined
  readonly file?: string | undefined
  /** 1-based row in the file. */
  readonly rowNumber?: number | undefined
}

/** The value of a system column (sql.md §9); NULL when the source has none. */
export function systemValue(name: string, facts: RowFacts): Value {
  switch (name) {
    case '_offset':
      return facts.offset
    case '_partition':
      return facts.partition ?? null
    case '_source':
      return facts.source
    case '_ingest_time':
      return facts.ingestMicros
    case '_timestamp':
      return facts.timestampMicros ?? null
    case '_op':
      return facts.change === undefined ? null : changeSymbols[facts.change]!
    case '_filename':
      return facts.file ?? null
    case '_row_number':
      return facts.rowNumber ?? null
    default:
      return null
  }
}
