/** How delimited text is written (connectors.md §5). Characters are single bytes; −1 is none. */
export interface CsvDialect {
  readonly delimiter: number
  readonly quote: number
  /** Equal to `quote`: quotes are doubled. */
  readonly escape: number
  readonly comment: number
  readonly trim: boolean
  /** Records with too few or too many fields: a reject, or NULLs and nothing. */
  readonly ragged: 'error' | 'pad'
  /** Unquoted fields with this text are NULL. */
  readonly nullText: Uint8Array
  readonly fieldBytesMax: number
}
