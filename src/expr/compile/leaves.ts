import type { Batch } from '../../core/batch.ts'
import type { Column, ColumnKind } from '../../core/column.ts'
import { textAt, valueAt } from '../../core/column-read.ts'
import type { DataType } from '../../core/types.ts'
import { columnAt } from '../interpret.ts'
import type { Operand } from '../loop.ts'
import type { Source } from './source.ts'

const KINDS: readonly ColumnKind[] = ['f64', 'i32', 'i64', 'bool', 'utf8', 'dict', 'decimal', 'struct', 'boxed']

/** All NULL: a field under a column that has no children. */
const ABSENT = -1

/** Everything about a column that the generated text depends on. */
export function layoutOf(column: Column | undefined): number {
  if (column === undefined) return ABSENT
  return KINDS.indexOf(column.kind) * 4 + (isWideLane(column) ? 2 : 0) + (column.validity === undefined ? 0 : 1)
}

export const isWideLane = (column: Column | undefined): boolean =>
  column !== undefined && (column.kind === 'i64' || column.kind === 'decimal') && column.lane !== 'safe'

/** The columns that one variant of a loop reads, found while its body is written. */
export class Leaves {
  readonly paths: (readonly number[])[] = []
  readonly layouts: number[] = []
  readonly #batch: Batch
  readonly #source: Source
  readonly #row: string

  constructor(batch: Batch, source: Source, row: string) {
    this.#batch = batch
    this.#source = source
    this.#row = row
  }

  /** Index of a path among the leaves. */
  indexOf(path: readonly number[]): number {
    const key = path.join('.')
    const known = this.paths.findIndex((other) => other.join('.') === key)
    if (known >= 0) return known
    this.layouts.push(layoutOf(columnAt(this.#batch, path)))
    return this.paths.push(path) - 1
  }

  column(leaf: number): Column | undefined {
    return columnAt(this.#batch, this.paths[leaf]!)
  }

  /** Emits the loads of the row at hand, once per block. */
  load(leaf: number, type: DataType): Operand {
    const column = this.column(leaf)
    if (column === undefined) return { type, value: 'null', isNull: 'true' }
    const isNull = column.validity === undefined ? 'false' : this.#loaded(leaf, 'n', `v$${leaf}[${this.#row}] === 0`)
    return { type, isNull, ...this.#value(leaf, column, type) }
  }

  #value(leaf: number, column: Column, type: DataType): Pick<Operand, 'value' | 'span'> {
    const { kind } = column
    switch (kind) {
      case 'f64':
      case 'i32':
      case 'i64':
      case 'decimal':
      case 'boxed':
        return { value: this.#loaded(leaf, 'x', `d$${leaf}[${this.#row}]`) }
      case 'bool':
        return { value: this.#loaded(leaf, 'x', `d$${leaf}[${this.#row}] === 1`) }
      case 'struct':
        return { value: `${this.#source.constant(valueAt)}(c$${leaf}, ${this.#row})` }
      case 'utf8':
        return this.#spanned(leaf, `2 * ${this.#row}`, type)
      case 'dict': {
        const code = this.code(leaf)
        return { ...this.#spanned(leaf, `2 * ${code}`, type), value: `g$${leaf}[${code}]` }
      }
    }
  }

  #spanned(leaf: number, at: string, type: DataType): Pick<Operand, 'value' | 'span'> & { value: string } {
    const start = this.#loaded(leaf, 's', `s$${leaf}[${at}]`)
    const length = this.#loaded(leaf, 'l', `s$${leaf}[${at} + 1]`)
    const value =
      type.kind === 'bytes'
        ? `a$${leaf}.slice(${start}, ${start} + ${length})`
        : `${this.#source.constant(textAt)}(a$${leaf}, ${start}, ${length})`
    return { value, span: { start, length, bytes: `a$${leaf}` } }
  }

  /** The dictionary code of the row at hand; harmless (0) at NULL rows. */
  code(leaf: number): string {
    const column = this.column(leaf)
    const nullable = column?.validity !== undefined
    return this.#loaded(leaf, 'q', `${nullable ? `v$${leaf}[${this.#row}] === 0 ? 0 : ` : ''}d$${leaf}[${this.#row}]`)
  }

  #loaded(leaf: number, part: string, expression: string): string {
    const key = `${leaf}${part}`
    const known = this.#source.remembered(key)
    if (typeof known === 'string') return known
    const name = this.#source.name(part)
    this.#source.line(`const ${name} = ${expression}`)
    this.#source.remember(key, name)
    return name
  }

  /** Statements before the loop that take the arrays out of the columns. */
  prologue(): string[] {
    return this.paths.flatMap((_path, leaf) => {
      const column = this.column(leaf)
      if (column === undefined) return []
      const lines = [`const c$${leaf} = leaves[${leaf}]`]
      if (column.validity !== undefined) lines.push(`const v$${leaf} = c$${leaf}.validity`)
      if (column.kind === 'utf8') lines.push(`const s$${leaf} = c$${leaf}.spans, a$${leaf} = c$${leaf}.bytes`)
      else if (column.kind === 'dict') {
        lines.push(`const d$${leaf} = c$${leaf}.codes, h$${leaf} = c$${leaf}.dictionary`)
        lines.push(`const s$${leaf} = h$${leaf}.spans, a$${leaf} = h$${leaf}.bytes, g$${leaf} = h$${leaf}.strings`)
      } else if (column.kind !== 'struct') lines.push(`const d$${leaf} = c$${leaf}.data`)
      return lines
    })
  }
}
