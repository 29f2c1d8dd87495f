import type { Sink, SinkReject } from '../../connectors/contract.ts'
import type { Batch } from '../../core/batch.ts'
import { CHANGE, type ChangeCode } from '../../core/change.ts'
import type { WorkerMemory } from '../../core/memory.ts'
import { described, type OptionNames } from '../../core/option-names.ts'
import { BatchBuilder, rowAt } from '../../core/row-batch.ts'
import type { Schema } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import type { DurablePlace } from '../connector-context.ts'
import { DataSourceError, guarded, misuse, unsupported } from './errors.ts'
import { rowJson } from './row-json.ts'
import { inferSchema, settledSchema, valuesOf, widerSchema } from './row-values.ts'
import type { Change, DataWriter, RecordInput, RejectedRecord, Row, WriterOptions } from './types.ts'

/** How a writer opens its sink. */
export interface WriterSink {
  readonly schema: Schema
  readonly changes: boolean
  readonly part: string
  readonly durable: DurablePlace | undefined
}

export interface WriterForm {
  /** As messages name the sink. */
  readonly sink: string
  readonly memory: WorkerMemory
  readonly accepts: 'append' | 'upsert' | 'changelog'
  readonly schema: Schema | undefined
  readonly isTransactional: boolean
  /** Tells the writer's files and ledgers from those of others. */
  readonly lineage: string
  /** Throws when rows of these columns cannot be written. */
  validate(schema: Schema): Promise<void>
  open(form: WriterSink): Promise<Sink>
  onClose(): void
}

/** What `createWriter` takes. */
export const WRITER_OPTIONS: OptionNames<WriterOptions> = { signal: true, schema: true, changes: true, rows: true }

const CODES: Readonly<Record<Change, ChangeCode>> = {
  insert: CHANGE.insert,
  update_before: CHANGE.updateBefore,
  update_after: CHANGE.updateAfter,
  delete: CHANGE.delete,
}
const ROWS = 1024
/** Refused records that are kept for whoever asks. */
const REJECTED_MAX = 1000

interface Held {
  /** A row until the columns are known. */
  readonly values: Row | readonly Value[]
  readonly change: ChangeCode
}

/**
 * Rows are held until there are enough of them, or somebody wants them out. A sink with transactions gets each commit as
 * one epoch; to take rows back it is opened again behind its last one, as after a crash.
 */
export class EngineWriter implements DataWriter {
  readonly supportsTransactions: boolean
  readonly rejected: RejectedRecord[] = []
  readonly #form: WriterForm
  readonly #rows: number
  #changes: boolean
  #held: Held[] = []
  /** What the rows that are held tell of the columns. */
  #told: Schema = { fields: [] }
  #schema: Schema | undefined
  #builder: BatchBuilder | undefined
  #sink: Sink | undefined
  #incarnation = 0n
  #epoch = 0n
  #token: Uint8Array | undefined
  /** Rows reached the sink since the last commit. */
  #dirty = false
  #inTransaction = false
  /** Prepared, and its commit has failed: whether the target has it is not known. */
  #pending: { readonly epoch: bigint; readonly token: Uint8Array } | undefined
  #closed = false
  #failed: { readonly error: unknown } | undefined
  #tail: Promise<unknown> = Promise.resolve()

  constructor(form: WriterForm, options: WriterOptions) {
    this.#form = form
    this.#schema = form.schema
    this.#changes = options.changes ?? false
    this.#rows = options.rows ?? ROWS
    if (!(Number.isInteger(this.#rows) && this.#rows >= 1 && this.#rows <= 16_384)) {
      throw misuse(`rows: ${String(this.#rows)} is not a whole number of 1…16384`, 'createWriter({ rows: 1024 })')
    }
    this.supportsTransactions = form.isTransactional
    if (this.#changes) this.#refuseChanges('changes')
  }

  write(record: RecordInput): Promise<void> {
    return this.writeBatch([record])
  }

  writeBatch(records: readonly RecordInput[]): Promise<void> {
    return this.#writing(async () => {
      if (!Array.isArray(records)) {
        throw misuse(`writeBatch takes an array, not ${described(records)}`, 'writeBatch([record]), or write(record)')
      }
      for (const record of records) this.#hold(rowOfInput(record), record.change ?? 'insert')
      while (this.#held.length >= this.#rows) await this.#send(this.#rows)
    })
  }

  update(key: Row, record: RecordInput): Promise<void> {
    return this.#writing(async () => {
      this.#refuseChanges('upsert')
      this.#hold({ ...rowOfInput(record), ...keyOf(key) }, 'update_after')
    })
  }

  delete(key: Row): Promise<void> {
    return this.#writing(async () => {
      this.#refuseChanges('delete')
      this.#hold(keyOf(key), 'delete')
    })
  }

  #hold(row: Row, change: Change): void {
    if (change !== 'insert' && !this.#changes) {
      this.#refuseChanges('changelog')
      if (this.#sink !== undefined) {
        throw unsupported(`"${this.#form.sink}" was opened for inserts`, 'changelog', 'createWriter({ changes: true })')
      }
      this.#changes = true
    }
    // What does not fit is told to whoever writes it, and is not held.
    if (this.#schema === undefined) this.#told = widerSchema(this.#told, inferSchema([row]))
    const values = this.#schema === undefined ? row : valuesOf(row, this.#schema)
    this.#held.push({ values, change: CODES[change] })
  }

  #refuseChanges(capability: string): void {
    if (this.#form.accepts !== 'append') return
    throw unsupported(
      `"${this.#form.sink}" only takes new rows`,
      capability,
      "changelog: 'columns' writes changes as rows",
    )
  }

  flush(): Promise<void> {
    return this.#writing(() => (this.#inTransaction ? this.#pushAll() : this.#commit()))
  }

  commit(): Promise<void> {
    return this.#writing(async () => {
      await this.#commit()
      this.#inTransaction = false
    })
  }

  rollback(): Promise<void> {
    return this.#serial(() => this.#rollback())
  }

  beginTransaction(): Promise<void> {
    return this.#writing(async () => {
      this.#needTransactions()
      if (this.#inTransaction) throw misuse('a transaction is open already', 'commit it, or abort it', 'SinkSpecific')
      // What came before does not belong to it.
      await this.#commit()
      this.#inTransaction = true
    })
  }

  commitTransaction(): Promise<void> {
    return this.#writing(async () => {
      this.#needTransaction()
      await this.#commit()
      this.#inTransaction = false
    })
  }

  abortTransaction(): Promise<void> {
    return this.#serial(async () => {
      this.#needTransaction()
      await this.#rollback()
    })
  }

  #needTransactions(): void {
    if (!this.supportsTransactions) throw unsupported(`"${this.#form.sink}" has no transactions`, 'transactions')
  }

  #needTransaction(): void {
    this.#needTransactions()
    if (!this.#inTransaction) throw misuse('no transaction is open', 'call beginTransaction() first', 'SinkSpecific')
  }

  /** Everything held goes to the sink and becomes as durable as can be. */
  async #pushAll(): Promise<void> {
    while (this.#held.length > 0) await this.#send(this.#rows)
    const sink = this.#sink
    if (sink !== undefined && this.#dirty) this.#note(await this.#use(() => sink.flush()), undefined)
  }

  async #commit(): Promise<void> {
    if (this.#pending !== undefined) await this.#publish(this.#pending)
    await this.#pushAll()
    const sink = this.#sink
    if (sink === undefined || !this.#dirty) return
    if (this.supportsTransactions) {
      const epoch = this.#epoch + 1n
      const token = await this.#use(() => sink.prepare!(epoch, { last: false }))
      await this.#publish({ epoch, token })
    }
    this.#dirty = false
  }

  async #publish(prepared: { readonly epoch: bigint; readonly token: Uint8Array }): Promise<void> {
    const { epoch, token } = prepared
    this.#pending = prepared
    this.#note(await this.#sink!.commit!(epoch, token, async function* () {}), undefined)
    this.#pending = undefined
    this.#epoch = epoch
    this.#token = token
  }

  async #rollback(): Promise<void> {
    this.#needTransactions()
    if (this.#pending !== undefined) {
      throw new DataSourceError('SinkSpecific', 'connector_commit_ambiguous', 'a commit has failed half way', {
        hint: 'call commit() again: it ends what was begun',
      })
    }
    this.#held = []
    this.#inTransaction = false
    this.#failed = undefined
    if (!this.#dirty) return
    this.#dirty = false
    const sink = this.#sink
    this.#sink = undefined
    await sink?.[Symbol.asyncDispose]()
    await this.#openSink()
  }

  async #send(most: number): Promise<void> {
    if (this.#schema === undefined) {
      const told = settledSchema(this.#told)
      await this.#form.validate(told)
      this.#schema = told
    }
    const schema = this.#schema
    const rows = this.#held.slice(0, most)
    this.#builder ??= new BatchBuilder(schema, Math.max(2, this.#rows), this.#form.memory)
    const builder = this.#builder
    builder.reset()
    for (const { values, change } of rows) {
      builder.append(Array.isArray(values) ? (values as readonly Value[]) : valuesOf(values as Row, schema), change)
    }
    if (this.#sink === undefined) await this.#openSink()
    this.#dirty = true
    const batch = builder.finish()
    const sink = this.#sink!
    this.#note(await this.#use(() => sink.write(batch)), batch)
    this.#held.splice(0, rows.length)
  }

  /** Behind a failure nobody knows what of its rows a sink has. */
  async #use<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      this.#failed = { error }
      throw error
    }
  }

  async #openSink(): Promise<void> {
    const { isTransactional, lineage } = this.#form
    const incarnation = ++this.#incarnation
    const durable = isTransactional ? { lineage, incarnation } : undefined
    const sink = await this.#form.open({ schema: this.#schema!, changes: this.#changes, part: `w${lineage}`, durable })
    this.#sink = sink
    if (durable === undefined) return
    await sink.ledger!(incarnation)
    await sink.restore!(this.#epoch, this.#token)
  }

  #note(rejects: readonly SinkReject[], batch: Batch | undefined): void {
    for (const { row, code, detail } of rejects) {
      const text = batch === undefined ? '' : rowJson(this.#schema!, rowAt(batch, row).values)
      this.rejected.push({ partition: this.#form.sink, code, detail, bytes: Buffer.from(text) })
      if (this.rejected.length > REJECTED_MAX) this.rejected.shift()
    }
  }

  /** One call after the other. */
  #serial<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(async () => {
      if (this.#closed) throw misuse('the writer is closed', 'make another one', 'SinkSpecific')
      return await guarded('sink', task)
    })
    this.#tail = run.catch(() => undefined)
    return run
  }

  /** Behind a failure of the sink nothing is written until `rollback`. */
  #writing<T>(task: () => Promise<T>): Promise<T> {
    return this.#serial(async () => {
      if (this.#failed !== undefined) throw this.#failed.error
      return await task()
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    try {
      if (this.#inTransaction) await this.abortTransaction()
      else if (this.#failed === undefined) await this.flush()
    } finally {
      this.#closed = true
      await this.#tail
      this.#form.onClose()
      await guarded('sink', () => this.#end())
    }
  }

  /** Without transactions a sink is told that no row follows: what it holds comes out. */
  async #end(): Promise<void> {
    const sink = this.#sink
    this.#sink = undefined
    try {
      if (sink === undefined) return
      if (this.supportsTransactions) {
        // Of what nobody knows, the traces stay.
        if (this.#failed === undefined && this.#pending === undefined) await sink.forget?.()
        return
      }
      await sink.seal?.()
      await sink.finish?.(true)
    } finally {
      await sink?.[Symbol.asyncDispose]()
      this.#builder?.[Symbol.dispose]()
      this.#builder = undefined
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Bytes are a row of one column. */
function rowOfInput(record: RecordInput): Row {
  const value: unknown = (record as RecordInput | null | undefined)?.value
  if (value instanceof Uint8Array) return { value }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row
  const what = isPlain(record) ? `one whose value is ${described(value)}` : described(record)
  throw misuse(`a record has a row or bytes as its value, not ${what}`, 'write({ value: { id: 1n } })')
}

function keyOf(key: Row): Row {
  if (isPlain(key)) return key
  throw misuse(`a key is an object of columns, not ${described(key)}`, 'delete({ id: 1n })')
}

const isPlain = (given: unknown): boolean => typeof given === 'object' && given !== null && !Array.isArray(given)
