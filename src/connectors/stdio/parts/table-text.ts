import type { Batch } from '../../../core/batch.ts'
import { CHANGE, changeSymbols } from '../../../core/change.ts'
import { valueAt } from '../../../core/column-read.ts'
import type { DataType, Schema } from '../../../core/types.ts'
import type { Value } from '../../../core/values.ts'

/** Rows kept for the whole table to be laid out; later ones are counted only. */
const ROWS_MAX = 10_000
const CELL_MAX = 60

const NUMERIC = new Set(['smallint', 'int', 'bigint', 'double', 'decimal'])

export interface TableForm {
  readonly changes: boolean
  readonly markdown: boolean
  readonly valueText: (value: Exclude<Value, null>, type: DataType) => string
}

/** Collects rows and prints them as an aligned table, or as Markdown. NULL is empty in Markdown, `NULL` in a table. */
export class TableText {
  readonly #header: readonly string[]
  readonly #right: readonly boolean[]
  readonly #changes: boolean
  readonly #markdown: boolean
  readonly #valueText: TableForm['valueText']
  readonly #rows: string[][] = []
  #more = 0

  constructor(schema: Schema, form: TableForm) {
    this.#valueText = form.valueText
    this.#changes = form.changes
    this.#markdown = form.markdown
    this.#header = [...(form.changes ? ['_op'] : []), ...schema.fields.map((field) => field.name)]
    this.#right = [...(form.changes ? [false] : []), ...schema.fields.map((field) => NUMERIC.has(field.type.kind))]
  }

  add(batch: Batch): void {
    for (let row = 0; row < batch.rows; row++) {
      if (this.#rows.length >= ROWS_MAX) {
        this.#more++
        continue
      }
      const cells = batch.columns.map((column) => {
        const value = valueAt(column, row)
        return value === null ? (this.#markdown ? '' : 'NULL') : this.#valueText(value, column.type)
      })
      if (this.#changes) cells.unshift(changeSymbols[batch.changes?.[row] ?? CHANGE.insert]!)
      this.#rows.push(cells.map((cell) => this.#cell(cell)))
    }
  }

  #cell(text: string): string {
    const flat = text.replace(/[\r\n\t]/g, ' ')
    if (this.#markdown) return flat.replaceAll('|', '\\|')
    const points = [...flat]
    return points.length > CELL_MAX ? `${points.slice(0, CELL_MAX - 1).join('')}…` : flat
  }

  text(): string {
    const widths = this.#header.map((name, i) =>
      this.#rows.reduce(
        (width, row) => Math.max(width, [...row[i]!].length),
        this.#markdown ? Math.max(3, [...name].length) : [...name].length,
      ),
    )
    const line = (cells: readonly string[]) =>
      cells.map((cell, i) => pad(cell, widths[i]!, this.#right[i]!)).join(' | ')
    const lines = this.#markdown
      ? [`| ${line(this.#header)} |`, `| ${widths.map((w, i) => rule(w, this.#right[i]!)).join(' | ')} |`]
      : [line(this.#header).trimEnd(), widths.map((width) => '-'.repeat(width)).join('-+-')]
    for (const row of this.#rows) lines.push(this.#markdown ? `| ${line(row)} |` : line(row).trimEnd())
    if (this.#more > 0) lines.push(`… ${this.#more} more rows`)
    return `${lines.join('\n')}\n`
  }
}

const rule = (width: number, right: boolean): string =>
  right ? `${'-'.repeat(Math.max(2, width - 1))}:` : '-'.repeat(Math.max(3, width))

function pad(text: string, width: number, right: boolean): string {
  const blanks = ' '.repeat(Math.max(0, width - [...text].length))
  return right ? blanks + text : text + blanks
}
