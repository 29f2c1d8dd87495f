import { type Batch, type Rollback, toHex } from '../../chain/chain.ts'
import { chainKeys, chainSchemas, type RowForm, rowCount, rowValues } from '../../chain/rows.ts'
import { Shelf } from '../../chain/shelf.ts'
import type { Sink } from '../../connectors/contract.ts'
import { CHANGE } from '../../core/change.ts'
import { HeadraceError } from '../../core/errors.ts'
import { BatchBuilder } from '../../core/row-batch.ts'
import { textOfValue } from '../../expr/value-text.ts'
import { createEncoder } from '../../formats/formats.ts'
import { connectorContext } from '../connector-context.ts'
import { type Endpoint, endpoint } from '../endpoint.ts'
import type { Engine } from '../engine.ts'
import { encoderSpec } from '../format-specs.ts'

/** Batches whose rows can be taken back. */
const KEPT = 1000

/** Writes batches as rows to any sink; what a rollback withdraws is taken back where the sink can. */
export class BatchSink implements AsyncDisposable {
  readonly #sink: Sink
  readonly #builder: BatchBuilder
  readonly #form: RowForm
  readonly #takesBack: boolean
  readonly #shelf = new Shelf(KEPT)
  readonly #onNote: (text: string) => void

  private constructor(
    sink: Sink,
    builder: BatchBuilder,
    form: { readonly rows: RowForm; readonly takesBack: boolean; readonly onNote: (text: string) => void },
  ) {
    this.#sink = sink
    this.#builder = builder
    this.#form = form.rows
    this.#takesBack = form.takesBack
    this.#onNote = form.onNote
  }

  static async open(
    engine: Engine,
    uri: string,
    form: { readonly rows: RowForm; readonly baseDirectory: string; readonly onNote: (text: string) => void },
  ): Promise<BatchSink> {
    const handle = await endpoint(uri, 'sink')
    refuseStaging(handle, form.baseDirectory)
    const schema = chainSchemas[form.rows]
    const { accepts } = handle.connector.capabilities.sink!
    const changes = handle.options['changelog'] !== undefined || accepts !== 'append'
    const position = (name: string): number => schema.fields.findIndex((column) => column.name === name)
    const sink = await handle.connector.openSink!({
      ...connectorContext(engine, handle, { baseDirectory: form.baseDirectory }),
      schema,
      changes,
      bounded: false,
      eventTime: position('timestamp'),
      key: chainKeys[form.rows].map(position),
      valueText: textOfValue,
      encoder: (format) => createEncoder(format, encoderSpec(engine, handle.options, { schema, changes }), engine),
    })
    const builder = new BatchBuilder(schema, 1024, engine.memory)
    return new BatchSink(sink, builder, { ...form, takesBack: changes })
  }

  /** When it resolves, the rows are as durable as the target can make them. */
  async write(batch: Batch): Promise<void> {
    await this.#rows(batch, 'insert')
    await this.#flush()
    this.#shelf.push(batch)
  }

  async rollBack({ to, depth }: Rollback): Promise<void> {
    let takenBack = 0n
    for (
      let batch = this.#shelf.newest;
      batch !== undefined && batch.id.number > to.number;
      batch = this.#shelf.newest
    ) {
      if (this.#takesBack) await this.#rows(batch, 'delete')
      takenBack++
      this.#shelf.pop()
    }
    await this.#flush()
    const batches = `${depth} batches behind ${to.number} (${toHex(to.number)}) were withdrawn`
    if (!this.#takesBack)
      this.#onNote(`${batches}; the sink takes appends only: of one batch_number the last row counts`)
    else if (takenBack < depth)
      this.#onNote(`${batches}; ${depth - takenBack} of them were written before this start and stand`)
    else this.#onNote(`${batches} and taken back`)
  }

  async #rows(batch: Batch, change: 'insert' | 'delete'): Promise<void> {
    const count = rowCount(batch, this.#form)
    for (let i = 0; i < count; i++) {
      if (this.#builder.full) await this.#flush()
      this.#builder.append(rowValues(batch, change === 'insert' ? i : count - 1 - i, this.#form), CHANGE[change])
    }
  }

  async #flush(): Promise<void> {
    const rows = this.#builder.rows
    try {
      const refused = [
        ...(rows === 0 ? [] : await this.#sink.write(this.#builder.finish())),
        ...(await this.#sink.flush()),
      ]
      const [first] = refused
      if (first === undefined) return
      throw new HeadraceError('connector_record_invalid', `the sink refused a row: ${first.code}: ${first.detail}`)
    } finally {
      this.#builder.reset()
    }
  }

  async finish(): Promise<void> {
    await this.#sink.seal?.()
    await this.#sink.finish?.(true)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sink[Symbol.asyncDispose]()
    this.#builder[Symbol.dispose]()
  }
}

/** The position is stored when a batch is written: a target that shows rows only at the end would lose them in a crash. */
function refuseStaging({ connector, uri, options, printed }: Endpoint, baseDirectory: string): void {
  const facts = connector.sinkFacts?.(uri, options, { bounded: false, baseDirectory })
  if (facts?.staged !== true) return
  throw new HeadraceError(
    'connector_option_conflict',
    `ingest cannot write "${printed}": its rows are published at the end only`,
    {
      hint: 'write one plain file, or use SQL: a pipeline publishes with every checkpoint',
    },
  )
}
