import { didYouMean, nearestNames } from '../../core/suggest.ts'
import type { BoundExpr, Span } from '../../expr/bound.ts'
import { isFallible } from '../../expr/fallible.ts'
import { isZone } from '../../expr/time/zones.ts'
import type { OptionLiteral, OptionNode } from '../ast.ts'
import type { OptionValue } from '../catalogue.ts'
import { parseInterval } from '../parser/intervals.ts'
import type { Annotation } from '../tokens.ts'
import type { Environment } from './context.ts'
import { fault, unsupported } from './failure.ts'
import { expandOption } from './variables.ts'

/** Options of a job (sql.md §13); `checkpoint.*` and `dlq.*` have open ends. */
const jobOptions: ReadonlySet<string> = new Set(
  (
    'on_expr_error delivery parallelism state_ttl state_ttl_silent state allowed_lateness late_data watermark_alignment ' +
    'migration retain_history checkpoint.interval dlq.location dlq.max_entries dlq.rate_max num_partitions failures_max ' +
    'shutdown_timeout commit_regime'
  ).split(' '),
)

const openEnds = /^(checkpoint|dlq)\.[\w.]+$/

export const isJobOption = (name: string): boolean => jobOptions.has(name) || openEnds.test(name)

/** Settings of the session, with SET only. */
const sessionOptions: ReadonlySet<string> = new Set(['timezone', 'unsafe_regex', 'output', 'read', 'name'])

/** Options that something reads, or whose every accepted value is kept anyhow (`delivery`). */
const readOptions: ReadonlySet<string> = new Set(
  'on_expr_error failures_max shutdown_timeout commit_regime delivery allowed_lateness late_data timezone unsafe_regex'.split(
    ' ',
  ),
)

export const settingText = (value: OptionValue): string =>
  Array.isArray(value) ? JSON.stringify(value) : typeof value === 'boolean' ? String(value) : String(value)

/** Options that promise something which nothing keeps yet: they must not pass for kept. */
function refuseUnbuilt(name: string, span: Span): void {
  if (name === 'state_ttl' || name === 'state_ttl_silent') {
    unsupported(`the option ${name}`, span, 'group by a window: its groups are forgotten when it closes')
  }
}

/** SET k = v, RESET k. */
export function applySet(name: string, value: OptionLiteral | undefined, span: Span, environment: Environment): void {
  const key = name.toLowerCase()
  if (!isJobOption(key) && !sessionOptions.has(key)) {
    const known = [...jobOptions, ...sessionOptions]
    fault('sql_option_unknown', `option "${name}" is not known`, span, {
      hint: didYouMean(key, known) ?? `SET takes ${known.slice(0, 6).join(', ')} …`,
      suggestions: nearestNames(key, known).map((near) => ({ replace: name, with: near })),
    })
  }
  if (value === undefined) environment.settings.delete(key)
  else store(key, settingText(expandOption(value, span, environment)), span, environment)
}

function store(name: string, value: string, span: Span, environment: Environment): void {
  refuseUnbuilt(name, span)
  if (name === 'timezone') checkZone(value, 'connector_option_invalid', span)
  environment.settings.set(name, value)
  if (readOptions.has(name) || openEnds.test(name)) return
  environment.reporter.report({
    code: 'sql_option_unused',
    message: `option "${name}" has no effect: nothing reads it yet`,
    span,
    hint: name === 'output' ? 'remove it; on the command line -o chooses the form of the rows' : 'remove it',
  })
}

/** The name of a time zone that is known when planning must exist. */
export function checkZone(zone: string, code: 'connector_option_invalid' | 'sql_invalid_literal', span: Span): void {
  if (isZone(zone)) return
  const known = ['UTC', ...Intl.supportedValuesOf('timeZone')]
  // People leave out the continent.
  const near = nearestNames(zone, known)
  const ends = known.filter((name) => name.toLowerCase().endsWith(`/${zone.toLowerCase()}`))
  const found = near.length > 0 ? near : ends.slice(0, 3)
  fault(code, `"${zone}" is no time zone`, span, {
    hint:
      found.length > 0
        ? `did you mean ${found.map((name) => `"${name}"`).join(', ')}?`
        : "write an IANA name: 'Europe/Berlin', or 'UTC'",
    suggestions: found.map((name) => ({ replace: zone, with: name })),
  })
}

/** The options of one WITH, by whom they address. */
export interface SplitOptions {
  /** For the job. */
  readonly job: readonly OptionNode[]
  /** Unprefixed ones that are not the job's: for the targets, or on CREATE … FROM for the source. */
  readonly plain: readonly OptionNode[]
  readonly source: readonly OptionNode[]
  readonly sink: readonly OptionNode[]
  /** `<alias>.k`, by lower-case alias. */
  readonly named: ReadonlyMap<string, readonly OptionNode[]>
}

export function splitOptions(options: readonly OptionNode[], aliases: ReadonlySet<string>): SplitOptions {
  const split = {
    job: [] as OptionNode[],
    plain: [] as OptionNode[],
    source: [] as OptionNode[],
    sink: [] as OptionNode[],
  }
  const named = new Map<string, OptionNode[]>()
  for (const option of options) {
    const name = option.name.toLowerCase()
    const dot = name.indexOf('.')
    const head = dot < 0 ? '' : name.slice(0, dot)
    const inner = { ...option, name: option.name.slice(dot + 1) }
    if (isJobOption(name)) split.job.push(option)
    else if (head === 'source') split.source.push(inner)
    else if (head === 'sink') split.sink.push(inner)
    else if (aliases.has(head)) named.set(head, [...(named.get(head) ?? []), inner])
    else split.plain.push(option)
  }
  return { ...split, named }
}

/** An option that is nearly one of the job's is taken for a misspelt one. */
export function refuseUnknownOption({ name, span }: OptionNode): void {
  const near = nearestNames(name.toLowerCase(), [...jobOptions])
  if (near.length === 0) return
  fault('sql_option_unknown', `option "${name}" is not known`, span, {
    hint: didYouMean(name.toLowerCase(), [...jobOptions])!,
    suggestions: near.map((known) => ({ replace: name, with: known })),
  })
}

export function applyJobOptions(options: readonly OptionNode[], environment: Environment): void {
  for (const option of options) {
    const value = expandOption(option.value, option.valueSpan, environment)
    store(option.name.toLowerCase(), settingText(value), option.span, environment)
  }
}

/** True when an output may be NULL: also one that can fail, where `on_expr_error = 'null'` puts NULL in its place. */
export const mayBeNull = (expr: BoundExpr, { settings }: Environment): boolean =>
  expr.nullable || (settings.get('on_expr_error') === 'null' && isFallible(expr))

/** The zone that TIMESTAMPTZ is shown and read in; undefined for UTC, which needs no help. */
export function sessionZone({ settings }: Environment): string | undefined {
  const zone = settings.get('timezone')
  return zone === undefined || zone.toUpperCase() === 'UTC' ? undefined : zone
}

/** A setting that is a length of time, in microseconds; undefined when it is not set. */
export function settingMicros(name: string, span: Span, environment: Environment): number | undefined {
  const text = environment.settings.get(name)
  if (text === undefined) return undefined
  const interval = parseInterval(/^\d+$/.test(text.trim()) ? `${text}s` : text)
  if (interval !== undefined && interval.months === 0) return interval.days * 86_400_000_000 + interval.micros
  return fault('connector_option_invalid', `option "${name}" is no length of time: "${text}"`, span, {
    hint: `write ${name} = 5s`,
  })
}

const annotations: readonly string[] = (
  'application app name version description tags depends_on phase dashboard job_mode batch_size batch_timeout ' +
  'num_partitions partition_count partitioning_strategy sticky_partition_id failure_strategy max_retries retry_backoff ' +
  'enable_dlq dlq_max_size dlq_sink log_progress progress_interval metric metric_type metric_help metric_labels ' +
  'metric_condition metric_field metric_buckets metric_sample_rate observability.metrics.enabled ' +
  'observability.tracing.enabled observability.profiling.enabled observability.error_reporting.enabled ' +
  'deployment.node_id deployment.node_name deployment.region data_retention compliance'
).split(' ')

const openAnnotations = /^(sla|data)\./

/** Warns of annotations that nobody knows; a misspelt one must not pass for a setting. */
export function checkAnnotations(all: readonly Annotation[], environment: Environment): void {
  for (const { name, span } of all) {
    if (annotations.includes(name) || openAnnotations.test(name)) continue
    environment.reporter.report({
      code: 'sql_annotation_unknown',
      message: `annotation "@${name}" is not known`,
      span,
      hint: didYouMean(name, annotations) ?? 'remove it, or write it as a comment without "@"',
      suggestions: nearestNames(name, annotations).map((near) => ({ replace: `@${name}`, with: `@${near}` })),
    })
  }
}
