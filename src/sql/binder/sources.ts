import { didYouMean } from '../../core/suggest.ts'
import { type DataType, type Schema, types } from '../../core/types.ts'
import type { Span } from '../../expr/bound.ts'
import type { Name, UriNode } from '../ast.ts'
import type { OptionEntry, SourceInfo, SourceRequest } from '../catalogue.ts'
import { systemColumns } from '../system-columns.ts'
import type { Environment } from './context.ts'
import { fault } from './failure.ts'
import { placed } from './outside.ts'
import type { Relation, RelationColumn, SourceRelation, WatermarkRelation } from './relation.ts'
import { expandVariables } from './variables.ts'

/** Opens the sources of a script; equal ones (URI, options, columns) are one relation. */
export class Sources {
  readonly #environment: Environment
  /** Lower-case names of the columns that windows of the script use as time. */
  readonly #windowTimes: ReadonlySet<string>
  readonly #known = new Map<string, Promise<WatermarkRelation>>()

  constructor(environment: Environment, windowTimes: ReadonlySet<string>) {
    this.#environment = environment
    this.#windowTimes = windowTimes
  }

  /** `FROM 'uri'`: columns discovered, time from its options or found by a window. */
  open(uri: UriNode, options: readonly OptionEntry[]): Promise<WatermarkRelation> {
    const text = expandVariables(uri.uri, uri.span, this.#environment)
    const key = JSON.stringify([text, options])
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const opened = this.#discover({ uri: text, options, columns: undefined }, uri.span, text)
    this.#known.set(key, opened)
    return opened
  }

  /** An in-process stream of the instance, or `stdin`. */
  async named(name: Name): Promise<WatermarkRelation | undefined> {
    const info = await placed(name.span, [], this.#environment, () => this.#environment.catalogue.stream(name.text))
    if (info === undefined) return undefined
    const key = JSON.stringify([name.text])
    const opened = this.#known.get(key) ?? Promise.resolve(timed(sourceRelation(name.text, info, new Set())))
    this.#known.set(key, opened)
    return opened
  }

  /** What the catalogue says of a source; a discovered BIGINT or STRING that a window uses as time is a TIMESTAMP. */
  async info(request: SourceRequest, span: Span): Promise<SourceInfo> {
    const { catalogue } = this.#environment
    const info = await placed(span, request.options, this.#environment, () => catalogue.source(request))
    if (request.columns !== undefined) return info
    const columns = this.#retyped(info)
    return columns === undefined
      ? info
      : placed(span, request.options, this.#environment, () => catalogue.source({ ...request, columns }))
  }

  #retyped({ schema, eventTime }: SourceInfo): Schema | undefined {
    const isUsed = (name: string) =>
      eventTime === undefined ? this.#windowTimes.has(name.toLowerCase()) : name === eventTime.column
    const isTime = (type: DataType) => type.kind === 'bigint' || type.kind === 'string'
    const fields = schema.fields.map((field) =>
      isUsed(field.name) && isTime(field.type) ? { ...field, type: types.timestamp } : field,
    )
    return fields.some((field, i) => field !== schema.fields[i]) ? { fields } : undefined
  }

  async #discover(request: SourceRequest, span: Span, name: string): Promise<WatermarkRelation> {
    const relation = sourceRelation(name, await this.info(request, span), new Set())
    checkTimeOption(relation, span)
    return timed(relation)
  }
}

/** The physical columns of a source, then its system columns, hidden. */
export function sourceRelation(name: string, info: SourceInfo, required: ReadonlySet<string>): SourceRelation {
  const columns: RelationColumn[] = [
    ...info.schema.fields.map((field) => ({ ...field, hidden: false })),
    ...info.systemColumns.map((column) => ({
      name: column,
      type: systemColumns[column],
      nullable: true,
      hidden: true,
    })),
  ]
  const label = `source "${name}"`
  return { kind: 'source', name, info, required, systemColumns: info.systemColumns, columns, label }
}

/** The option `event_time` must name a TIMESTAMP column. */
export function checkTimeOption(relation: Relation, span: Span): void {
  const name = relation.kind === 'source' ? relation.info.eventTime?.column : undefined
  if (name === undefined) return
  const names = relation.columns.filter((column) => !column.hidden).map((column) => column.name)
  const found = relation.columns.find((column) => column.name === name)
  if (found === undefined) {
    fault('sql_column_not_found', `option event_time names "${name}", which is no column`, span, {
      hint: didYouMean(name, names) ?? `the source has ${names.slice(0, 12).join(', ')}`,
    })
  }
  if (found.type.kind === 'timestamp' || found.type.kind === 'timestamptz') return
  fault('sql_type_mismatch', `the event time "${name}" must be a TIMESTAMP`, span, {
    hint: `declare ${name} as TIMESTAMP`,
  })
}

/** Adds the event time that the options name, or room for one that a window finds. */
export function timed(input: SourceRelation): WatermarkRelation {
  const { info } = input
  const named = info.eventTime
  const column = named === undefined ? -1 : input.columns.findIndex((candidate) => candidate.name === named.column)
  const time =
    named === undefined || column < 0 ? undefined : { column, delayMicros: named.delayMicros, expr: undefined }
  const columns: RelationColumn[] = []
  const relation: WatermarkRelation = {
    kind: 'watermark',
    input,
    declared: time !== undefined,
    time,
    defaultDelayMicros: info.watermarkDelayMicros,
    columns,
    label: input.label,
  }
  columns.push(...input.columns.map((source, i) => ({ ...source, origin: { watermark: relation, column: i } })))
  return relation
}
