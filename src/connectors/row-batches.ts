import { BatchBuilder, type Row } from '../core/row-batch.ts'
import { systemValue } from '../core/system-values.ts'
import type { Schema } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import type { Reject } from '../formats/decoder.ts'
import type { Offset, SourceContext, SourceItem } from './contract.ts'

/** Makes batches of the wanted columns from rows of this process. */
export class RowBatches implements Disposable {
  readonly #context: SourceContext
  readonly #builder: BatchBuilder
  readonly #place: { readonly split: string; readonly source: string }

  constructor(context: SourceContext, place: { readonly split: string; readonly source: string }) {
    this.#context = context
    this.#place = place
    this.#builder = new BatchBuilder(context.schema, Math.max(2, context.batchRows), context.memory)
  }

  /** `first`: position of the first row, from 0. A column that is required and NULL makes a reject of its row. */
  item(
    rows: readonly Row[],
    schema: Schema,
    { first, next }: { readonly first: number; readonly next: Offset },
  ): SourceItem {
    const ingestMicros = this.#context.clock.nowMicros()
    this.#builder.reset()
    const rejects: Reject[] = []
    const ordinals: number[] = []
    for (const [i, row] of rows.entries()) {
      const values = this.#select(row, schema, { offset: first + 1 + i, ingestMicros })
      const missing = this.#context.columns.findIndex(({ required }, at) => required && values[at] === null)
      if (missing >= 0) {
        rejects.push(this.#reject(row, schema, { ordinal: first + i, column: missing }))
        continue
      }
      this.#builder.append(values, row.change)
      ordinals.push(i)
    }
    const provenance = {
      split: this.#place.split,
      rowOrdinal: first,
      ordinals: rejects.length === 0 ? undefined : Int32Array.from(ordinals),
      ingestMicros,
    }
    return { kind: 'batch', batch: ordinals.length === 0 ? undefined : this.#builder.finish(provenance), next, rejects }
  }

  /** NOT NULL of a declared column: the row as JSON text, as it has no bytes. */
  #reject(
    row: Row,
    { fields }: Schema,
    { ordinal, column }: { readonly ordinal: number; readonly column: number },
  ): Reject {
    const members = fields.map(({ name }, i) => [name, row.values[i]])
    const text = JSON.stringify(Object.fromEntries(members), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    const { name } = this.#context.columns[column]!
    const detail = `column ${JSON.stringify(name)} is NULL`
    return { ordinal, byte: 0, bytes: Buffer.from(text), code: 'row_not_null_violated', detail }
  }

  /** The wanted columns of a row by name, then the system columns. */
  #select(row: Row, { fields }: Schema, at: { readonly offset: number; readonly ingestMicros: number }): Value[] {
    const values = this.#context.columns.map((column) => {
      const index = fields.findIndex((field) => field.name === column.path[0])
      let value = row.values[index] ?? null
      let type = fields[index]?.type
      for (const name of column.path.slice(1)) {
        if (type?.kind !== 'struct') break
        const inner = type.fields.findIndex((field) => field.name === name)
        value = value === null ? null : ((value as readonly Value[])[inner] ?? null)
        type = type.fields[inner]?.type
      }
      return value
    })
    const facts = { ...this.#place, ...at, change: row.change }
    for (const name of this.#context.systemColumns) values.push(systemValue(name, facts))
    return values
  }

  [Symbol.dispose](): void {
    this.#builder[Symbol.dispose]()
  }
}
