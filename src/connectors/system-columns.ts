import { type Batch, ordinalOf } from '../core/batch.ts'
import { ColumnBuilder } from '../core/column-builder.ts'
import type { WorkerMemory } from '../core/memory.ts'
import { systemValue } from '../core/system-values.ts'
import type { Schema } from '../core/types.ts'

/** Appends system columns (sql.md §9) to the batches of a byte source. */
export class SystemColumns implements Disposable {
  readonly #schema: Schema
  readonly #names: readonly string[]
  readonly #builders: readonly ColumnBuilder[]

  /** `schema` is the whole schema of the source's batches; its last fields are the system columns `names`. */
  constructor(
    schema: Schema,
    names: readonly string[],
    form: { readonly capacity: number; readonly memory: WorkerMemory },
  ) {
    this.#schema = schema
    this.#names = names
    const first = schema.fields.length - names.length
    this.#builders = names.map((_, i) => new ColumnBuilder(schema.fields[first + i]!.type, form.capacity, form.memory))
  }

  /** `file` is set for files; row numbers come from the batch's provenance. */
  add(batch: Batch, facts: { readonly source: string; readonly file?: string | undefined }): Batch {
    if (this.#names.length === 0) return batch
    const { provenance } = batch
    const { split = '', ingestMicros = 0 } = provenance ?? {}
    for (const builder of this.#builders) builder.reset()
    for (let row = 0; row < batch.rows; row++) {
      const offset = provenance === undefined ? row : ordinalOf(provenance, row)
      const of = { ...facts, split, offset, ingestMicros, rowNumber: facts.file === undefined ? undefined : offset + 1 }
      for (const [i, name] of this.#names.entries()) this.#builders[i]!.append(systemValue(name, of))
    }
    const columns = [...batch.columns, ...this.#builders.map((builder) => builder.finish())]
    return { ...batch, schema: this.#schema, columns }
  }

  [Symbol.dispose](): void {
    for (const builder of this.#builders) builder[Symbol.dispose]()
  }
}
