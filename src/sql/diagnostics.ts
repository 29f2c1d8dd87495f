import { type ErrorCode, errorKinds } from '../core/error-kinds.ts'
import { HeadraceError, type Place, type Suggestion, type TextPlace } from '../core/errors.ts'
import type { Span } from '../expr/bound.ts'

/** A fault or warning of one place in a script; whether it is a warning follows from the code. */
export interface Diagnostic {
  readonly code: ErrorCode
  readonly message: string
  readonly span: Span
  readonly hint?: string | undefined
  readonly suggestions?: readonly Suggestion[] | undefined
}

/** The form of `--json` output (sql.md §15). Absent places are null. */
export interface DiagnosticJson {
  readonly code: ErrorCode
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly file: string | null
  readonly line: number | null
  readonly column: number | null
  readonly endLine: number | null
  readonly endColumn: number | null
  readonly hint: string | null
  readonly suggestions: readonly Suggestion[]
}

/** A script and where it came from; turns UTF-16 offsets into lines and columns. */
export class SourceText {
  readonly file: string
  readonly text: string
  #lineStarts: number[] | undefined

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
  }

  /** The place of a span; a span that covers several lines keeps its end. */
  place(span: Span): TextPlace {
    const start = this.#position(span.start)
    const end = this.#position(Math.max(span.end, span.start))
    return {
      kind: 'text',
      file: this.file,
      line: start.line,
      column: start.column,
      endLine: end.line,
      endColumn: end.column,
      sourceLine: this.#line(start.line),
    }
  }

  #position(offset: number): { line: number; column: number } {
    const starts = this.#starts()
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: codePoints(this.text.slice(starts[low]!, offset)) + 1 }
  }

  #line(line: number): string {
    const starts = this.#starts()
    const end = starts[line] ?? this.text.length
    return this.text.slice(starts[line - 1]!, end).replace(/\r?\n$/, '')
  }

  #starts(): number[] {
    if (this.#lineStarts === undefined) {
      this.#lineStarts = [0]
      for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1))
        this.#lineStarts.push(at + 1)
    }
    return this.#lineStarts
  }
}

const codePoints = (text: string): number => {
  let count = 0
  for (const _ of text) count++
  return count
}

export const isWarning = (code: ErrorCode): boolean => errorKinds[code].exitCode === 0

export function toError(diagnostic: Diagnostic, source: SourceText): HeadraceError {
  return new HeadraceError(diagnostic.code, diagnostic.message, {
    hint: diagnostic.hint,
    at: source.place(diagnostic.span),
    suggestions: diagnostic.suggestions,
  })
}

/** A diagnostic as people read it: message, place, source line, carets, hint. Ends without a line break. */
export function renderError(error: HeadraceError): string {
  const lines = [`${isWarning(error.code) ? 'warning' : 'error'}[${error.code}]: ${error.message}`]
  if (error.at !== undefined) lines.push(...renderPlace(error.at))
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`)
  return lines.join('\n')
}

function renderPlace(at: Place): string[] {
  switch (at.kind) {
    case 'text':
      return [`  --> ${at.file}:${at.line}:${at.column}`, ...renderSource(at)]
    case 'pointer':
      return [`  --> ${at.pointer}`]
    case 'uri':
      return [`  --> ${at.uri}`, `      ${' '.repeat(at.column)}^`]
    case 'data':
      return [`  --> ${at.source} at ${at.offset}`]
  }
}

/** Most code points of a source line that are shown; a longer line is cut around the place. */
const SHOWN = 160

function renderSource(at: TextPlace): string[] {
  const points = [...at.sourceLine]
  const from = at.column - 1 > SHOWN - 40 ? at.column - 1 - 40 : 0
  const shown = points.slice(from, from + SHOWN)
  const head = from > 0 ? '…' : ''
  const tail = from + SHOWN < points.length ? '…' : ''
  const end = at.endLine === at.line ? at.endColumn : points.length + 1
  const left = shown.slice(0, at.column - 1 - from).map((point) => (point === '\t' ? '\t' : ' '))
  const width = Math.max(1, Math.min(end - at.column, shown.length - (at.column - 1 - from)))
  const gutter = `${String(at.line).padStart(2)} | `
  const margin = `${' '.repeat(gutter.length - 2)}| `
  return [
    `${gutter}${head}${shown.join('')}${tail}`.trimEnd(),
    `${margin}${' '.repeat(head.length)}${left.join('')}${'^'.repeat(width)}`,
  ]
}

export function errorJson(error: HeadraceError): DiagnosticJson {
  const at = error.at?.kind === 'text' ? error.at : undefined
  return {
    code: error.code,
    severity: isWarning(error.code) ? 'warning' : 'error',
    message: error.message,
    file: at?.file ?? null,
    line: at?.line ?? null,
    column: at?.column ?? null,
    endLine: at?.endLine ?? null,
    endColumn: at?.endColumn ?? null,
    hint: error.hint ?? null,
    suggestions: error.suggestions,
  }
}
