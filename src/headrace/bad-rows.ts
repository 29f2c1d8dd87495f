import type { SinkReject } from '../connectors/contract.ts'
import { type Batch, ordinalOf, recordOf } from '../core/batch.ts'
import { adds } from '../core/change.ts'
import { valueAt } from '../core/column-read.ts'
import { HeadraceError } from '../core/errors.ts'
import type { OptionValues } from '../core/options.ts'
import type { Secrets } from '../core/secrets.ts'
import { jsonOfValue } from '../expr/value-json.ts'
import type { Reject } from '../formats/decoder.ts'
import type { RowError } from '../operators/operator.ts'
import type { Receiver } from '../runtime/graph/stage.ts'
import type { ScriptPlan, SourceNode } from '../sql/plan.ts'
import type { DeadLetter, DeadLetters, RowPolicy } from './dead-letters.ts'
import type { Endpoint } from './endpoint.ts'
import type { PlannedSink } from './planned-sinks.ts'

export type ExprPolicy = 'dlq' | 'null' | 'fail'

export function exprPolicy(plan: ScriptPlan): ExprPolicy {
  const given = plan.settings.get('on_expr_error') ?? 'dlq'
  if (given === 'dlq' || given === 'null' || given === 'fail') return given
  throw new HeadraceError('connector_option_invalid', `on_expr_error = '${given}' is not known`, {
    hint: 'one of: dlq, null, fail',
  })
}

/** A bad row stays bad: `retry` gives it to what comes after the tries at once. */
function policyOf(options: OptionValues | undefined): RowPolicy {
  const given = (options?.['on_error'] as RowPolicy | 'retry' | undefined) ?? 'dlq'
  return given === 'retry' ? ((options?.['retry_then'] as 'dlq' | 'fail' | undefined) ?? 'dlq') : given
}

type RowFacts = Pick<
  DeadLetter,
  'source' | 'sourceId' | 'split' | 'ordinal' | 'byte' | 'value' | 'encoding' | 'rowAtStage'
>

/** What happens to rows of one run that go no further: decode, expression, window and sink give them here. */
export class BadRows {
  readonly #letters: DeadLetters
  readonly #policy: ExprPolicy
  readonly #secrets: Secrets
  readonly #sqlPosition: ((span: { readonly start: number; readonly end: number }) => string) | undefined
  /** Sources with records that did not fit columns told from a sample that ended before them. */
  readonly misfits = new Set<string>()
  /** Records that did not become rows. */
  rejects = 0
  /** Whose rows are in the graph. */
  source: SourceNode | undefined
  /** For rows that were put together. */
  sources: readonly SourceNode[] = []

  constructor(form: {
    readonly letters: DeadLetters
    readonly policy: ExprPolicy
    readonly secrets: Secrets
    readonly sqlPosition: ((span: { readonly start: number; readonly end: number }) => string) | undefined
  }) {
    this.#letters = form.letters
    this.#policy = form.policy
    this.#secrets = form.secrets
    this.#sqlPosition = form.sqlPosition
  }

  onReject(reject: Reject, node: SourceNode, split: string): void {
    const { options, sampleCut } = node.info.handle as Endpoint
    const { code, detail, ordinal, byte, bytes } = reject
    this.rejects++
    if (sampleCut === true && code === 'connector_record_invalid') this.misfits.add(node.info.uri)
    this.#letters.add(
      {
        code,
        detail,
        stage: 'decode',
        source: node.info.uri,
        sourceId: node.id,
        split: this.#secrets.redact(split),
        ordinal,
        byte,
        value: bytes,
        encoding: 'raw',
        sqlPosition: undefined,
      },
      policyOf(options),
    )
  }

  onRowError({ code, detail, span, batch, row }: RowError): void {
    // What is taken back failed when it came (rulings 36): the failures that count are those of the rows that stand.
    if (row >= 0 && batch.changes !== undefined && !adds(batch.changes[row]!)) {
      this.#letters.takeBack(code)
      return
    }
    const sqlPosition = span === undefined ? undefined : this.#sqlPosition?.(span)
    const letter = { ...this.#rowFacts(batch, row), code, detail, stage: 'expression', sqlPosition } as const
    this.#letters.add(letter, this.#policy === 'fail' && code !== 'row_future_timestamp' ? 'fail' : 'dlq')
  }

  onSinkRejects(sink: Pick<PlannedSink, 'part' | 'target'>, rejects: readonly SinkReject[], batch: Batch): void {
    const options = (sink.target?.info.handle as Endpoint | undefined)?.options
    for (const { code, detail, row } of rejects) {
      const letter = { ...this.#rowFacts(batch, row), code, detail, sqlPosition: undefined, sink: sink.part }
      this.#letters.add({ ...letter, stage: 'sink' }, policyOf(options))
    }
  }

  /** Rows that a sink refused when it committed: only the sink knows what they were; told apart by epoch and row. */
  onCommitRejects(part: string, epoch: bigint, rejects: readonly SinkReject[]): void {
    const nowhere = { split: undefined, ordinal: undefined, byte: undefined, encoding: 'row', sqlPosition: undefined }
    for (const { code, detail, row } of rejects) {
      const value = Buffer.from(`{"epoch":${epoch},"row":${row}}`)
      this.#letters.add({ ...nowhere, code, detail, stage: 'sink', source: part, sink: part, value } as DeadLetter)
    }
  }

  /** `late_data = 'dlq'`: late rows with what LATE DATA TO adds to them, once for every window that they missed. */
  lateLetters(): Receiver {
    const code = 'row_late'
    const detail = 'came after its window had closed'
    return {
      finished: false,
      receive: async (element) => {
        if (element.kind !== 'batch') return
        const { batch } = element
        for (let row = 0; row < batch.rows; row++) {
          const facts = this.#rowFacts(batch, row)
          this.#letters.keep({ ...facts, code, detail, stage: 'window', sqlPosition: undefined })
        }
      },
    }
  }

  /** Where a row came from and what it was: its bytes while they are at hand, else its columns as JSON. */
  #rowFacts(batch: Batch, row: number): RowFacts {
    const { provenance } = batch
    const asJson = () => ({ byte: undefined, value: Buffer.from(rowJson(batch, row)), encoding: 'row' }) as const
    if (provenance === undefined) {
      // It was made of rows of all sources that lead here.
      const source = [...new Set(this.sources.map((node) => node.info.uri))].join(', ')
      return { source, split: undefined, ordinal: undefined, ...asJson() }
    }
    const split = this.#secrets.redact(provenance.split)
    const { info, id } = this.source ?? {}
    const facts = { source: info?.uri ?? split, sourceId: id, split, ordinal: ordinalOf(provenance, row) }
    const value = recordOf(provenance, row)
    if (value === undefined) return { ...facts, ...asJson() }
    return {
      ...facts,
      byte: undefined,
      value,
      encoding: 'raw',
      rowAtStage: this.#letters.queued ? rowJson(batch, row) : undefined,
    }
  }
}

/** The row as a JSON object; empty when the failure has no row (a result that does not fit its type). */
export function rowJson(batch: Batch, row: number): string {
  if (row < 0 || row >= batch.rows) return '{}'
  const members = batch.schema.fields.map(({ name, type }, i) => {
    const value = valueAt(batch.columns[i]!, row)
    return `${JSON.stringify(name)}:${value === null ? 'null' : jsonOfValue(value, type)}`
  })
  return `{${members.join(',')}}`
}
