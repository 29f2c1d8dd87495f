import type { Offset, SourceContext, SourceItem } from '../connectors/contract.ts'
import { CHANGE, type ChangeCode } from '../core/change.ts'
import { HeadraceError } from '../core/errors.ts'
import { BatchBuilder } from '../core/row-batch.ts'
import { systemValue } from '../core/system-values.ts'
import { sameType, typeName } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { encodeBatch } from './encode.ts'
import { type Cell, cellOf, chainSchemas, type RowForm } from './rows.ts'
import type { Batch } from './types.ts'

type Reject = NonNullable<Extract<SourceItem, { readonly kind: 'batch' }>['rejects']>[number]

/** Collects the rows of one item: insertions or withdrawals, the wanted columns and the system columns. */
export class RowBuilder implements Disposable {
  readonly #context: SourceContext
  readonly #split: string
  readonly #form: RowForm
  readonly #cells: readonly Cell[]
  readonly #builder: BatchBuilder
  /** Ordinals in the split of the rows of the builder. */
  #ordinals: number[] = []
  #rejects: Reject[] = []
  #ingestMicros = 0
  /** The rows are withdrawals. */
  deletes = false

  constructor(context: SourceContext, { split, form }: { readonly split: string; readonly form: RowForm }) {
    this.#context = context
    this.#split = split
    this.#form = form
    this.#cells = cellsOf(context, form)
    this.#builder = new BatchBuilder(context.schema, context.batchRows, context.memory)
  }

  get full(): boolean {
    return this.#builder.full || this.#rejects.length === this.#builder.capacity
  }

  insert(batch: Batch, row: number, ordinal: number): void {
    this.#append(batch, row, { ordinal, change: CHANGE.insert })
  }

  delete(batch: Batch, row: number, ordinal: number): void {
    this.deletes = true
    this.#append(batch, row, { ordinal, change: CHANGE.delete })
  }

  #append(
    batch: Batch,
    row: number,
    { ordinal, change }: { readonly ordinal: number; readonly change: ChangeCode },
  ): void {
    const { columns, systemColumns, clock, uri } = this.#context
    if (this.#builder.rows === 0) this.#ingestMicros = clock.nowMicros()
    const block = this.#form === 'block' ? batch.blocks[row] : undefined
    const values: Value[] = this.#cells.map((cell) => cell(batch, block))
    const missing = columns.findIndex(({ required }, at) => required && values[at] === null)
    if (missing >= 0) {
      // A row that did not come cannot be taken back.
      if (change === CHANGE.insert) this.#rejects.push(notNull(batch, columns[missing]!.name, ordinal))
      return
    }
    const facts = {
      split: this.#split,
      source: `${uri.scheme}:${uri.hosts[0]?.name ?? uri.path.join('/')}`,
      offset: Number(batch.id.number),
      ingestMicros: this.#ingestMicros,
      change,
    }
    for (const name of systemColumns) values.push(systemValue(name, facts))
    this.#builder.append(values, change)
    this.#ordinals.push(ordinal)
  }

  /** Undefined when there is nothing; valid until `reset`. */
  finish(next: Offset): SourceItem | undefined {
    const rejects = this.#rejects
    if (this.#builder.rows === 0)
      return rejects.length === 0 ? undefined : { kind: 'batch', batch: undefined, next, rejects }
    const first = this.#ordinals[0]!
    const gapless = this.#ordinals.at(-1)! - first === this.#ordinals.length - 1
    const batch = this.#builder.finish({
      split: this.#split,
      rowOrdinal: first,
      ordinals: gapless ? undefined : Int32Array.from(this.#ordinals, (ordinal) => ordinal - first),
      ingestMicros: this.#ingestMicros,
    })
    return { kind: 'batch', batch, next, rejects }
  }

  reset(): void {
    this.#builder.reset()
    this.#ordinals = []
    this.#rejects = []
    this.deletes = false
  }

  [Symbol.dispose](): void {
    this.#builder[Symbol.dispose]()
  }
}

/** Declared columns must have the types that the source gives. */
function cellsOf({ columns, schema }: SourceContext, form: RowForm): Cell[] {
  const known = chainSchemas[form].fields
  return columns.map(({ name, path }, i) => {
    const cell = path.length === 1 ? cellOf(path[0]!, form) : undefined
    const column = known.find((one) => one.name === path[0])
    if (cell === undefined || column === undefined) {
      throw new HeadraceError(
        'connector_schema_mismatch',
        `a chain with rows=${form} has no column "${path.join('.')}"`,
        {
          hint: `columns: ${known.map((one) => one.name).join(', ')}`,
        },
      )
    }
    const declared = schema.fields[i]!.type
    if (sameType(declared, column.type)) return cell
    const text = `column "${name}" is ${typeName(column.type)}, not ${typeName(declared)}`
    throw new HeadraceError('connector_schema_mismatch', text, {
      hint: 'leave the columns out of CREATE STREAM, or CAST',
    })
  })
}

const notNull = (batch: Batch, name: string, ordinal: number): Reject => ({
  ordinal,
  byte: 0,
  bytes: Buffer.from(encodeBatch(batch)),
  code: 'row_not_null_violated',
  detail: `column ${JSON.stringify(name)} is NULL`,
})
