import { array, decimal, field, type Schema, schema, struct, types } from '../../core/types.ts'
import type { BoundAggregate, BoundExpr, SortKey } from '../../expr/bound.ts'
import { call, columnExpr, literal } from '../../expr/testing/batches.ts'
import { GroupAggregate } from '../aggregate/group-aggregate.ts'
import type { GroupSpec, WindowSpec } from '../aggregate/spec.ts'
import { AssignWatermarks, type WatermarkSpec } from '../assign-watermarks.ts'
import { Check } from '../check.ts'
import { Distinct } from '../distinct.ts'
import { Limit } from '../limit.ts'
import type { Operator, OperatorContext } from '../operator.ts'
import { RowStage } from '../row-stage.ts'
import { Sort } from '../sort.ts'
import { Top } from '../top.ts'
import { Union } from '../union.ts'
import { Unnest } from '../unnest.ts'
import { tryCallOf } from './aggregate-calls.ts'
import type { InputForm } from './operator-input.ts'

/** An operator in one of its forms, and what it may be given. */
export interface OperatorCase {
  readonly name: string
  readonly input: InputForm
  readonly make: (context: OperatorContext) => Operator
}

const SECOND = 1_000_000

const input: Schema = schema([
  field('s', types.string),
  field('b', types.bigint),
  field('d', types.double),
  field('m', decimal(30, 4)),
  field('st', struct([field('x', types.bigint), field('y', types.string)])),
  field('ok', types.boolean),
  field('list', array(types.bigint)),
  field('t', types.timestamp, false),
])
const at = (name: string): number => input.fields.findIndex((one) => one.name === name)
const column = (name: string): BoundExpr => columnExpr(input, at(name))
const key = (name: string, descending = false): SortKey => ({ expr: column(name), descending, nullsFirst: descending })
const form = (revises: boolean, splits = false): InputForm => ({ schema: input, time: at('t'), revises, splits })
const above = (name: string, least: number): BoundExpr => call('>', column(name), literal(types.bigint, least))

function aggregate(name: string, columns: readonly string[], options: Partial<BoundAggregate> = {}): BoundAggregate {
  const columnTypes = columns.map((one) => column(one).type)
  return { ...tryCallOf(name, columnTypes, {}, columns.map(at))!, ...options }
}

/** In cells, beside them, and of every row. */
const plainCalls = [
  aggregate('COUNT', []),
  aggregate('COUNT', ['s']),
  aggregate('SUM', ['b']),
  aggregate('AVG', ['b'], { filter: above('b', 0) }),
  aggregate('SUM', ['m']),
  aggregate('MAX', ['d']),
  aggregate('MIN', ['b']),
  aggregate('BOOL_OR', ['ok']),
]
const allCalls = [
  ...plainCalls,
  aggregate('AVG', ['d']),
  aggregate('STDDEV', ['d']),
  aggregate('LAST', ['d'], { orderBy: [key('t')] }),
  aggregate('MIN', ['s']),
  aggregate('COUNT', ['s'], { distinct: true }),
  aggregate('STRING_AGG', ['s'], { orderBy: [key('b', true)] }),
  aggregate('ARRAY_AGG', ['st']),
]
const sketches = [aggregate('APPROX_COUNT_DISTINCT', ['s'])]

const event: WindowSpec = { time: column('t'), clock: 'event', sizeMicros: 10 * SECOND, offsetMicros: 3 * SECOND }
const proctime: BoundExpr = { kind: 'context', name: 'proctime', type: types.timestamp, nullable: false }
const processing: WindowSpec = { ...event, time: proctime, clock: 'processing' }

const late: Schema = schema([
  ...input.fields,
  field('_late_by', types.interval),
  field('_watermark', types.timestamp),
  field('_window_start', types.timestamp),
  field('_window_end', types.timestamp),
])

type GroupForm = Partial<Omit<GroupSpec, 'input' | 'output'>>

function groupCase(name: string, keys: readonly string[], parts: GroupForm): OperatorCase {
  const aggregates = parts.aggregates ?? allCalls
  const windowFields = parts.window === undefined ? [] : ['window_start', 'window_end', 'window_time']
  const output = schema([
    ...keys.map((one) => field(one, column(one).type)),
    ...windowFields.map((one) => field(one, types.timestamp)),
    ...aggregates.map((one, i) => field(`a${i}`, one.type)),
  ])
  const spec: GroupSpec = {
    filters: [],
    keys: keys.map(column),
    window: undefined,
    retracts: false,
    emission: 'end',
    latenessMicros: 0,
    late: undefined,
    ...parts,
    aggregates,
    input,
    output,
  }
  return {
    name: `GroupAggregate by (${keys}) ${name}`,
    input: form(spec.retracts),
    make: (context) => new GroupAggregate(spec, context),
  }
}

const keySets: readonly (readonly string[])[] = [[], ['s'], ['b'], ['d'], ['m'], ['st'], ['s', 'b', 'ok']]

const groupCases: readonly OperatorCase[] = keySets.flatMap((keys) => [
  groupCase('at the end', keys, {}),
  groupCase('of sketches', keys, { aggregates: sketches, filters: [above('b', -10)] }),
  groupCase('without results', keys, { aggregates: keys.length === 0 ? plainCalls : [], emission: 'changes' }),
  groupCase('with changes over revised rows', keys, { emission: 'changes', retracts: true }),
  groupCase('on update', keys, { emission: 'update', aggregates: plainCalls }),
  groupCase('in windows', keys, { window: event, emission: 'close', aggregates: plainCalls }),
  groupCase('in windows with late rows', keys, { window: event, emission: 'close', latenessMicros: 4 * SECOND, late }),
  groupCase('in windows with changes', keys, { window: event, emission: 'changes', latenessMicros: 2 * SECOND }),
  groupCase('in windows of the clock', keys, { window: processing, emission: 'close', aggregates: plainCalls }),
])

function watermarkCase(name: string, parts: Partial<WatermarkSpec>): OperatorCase {
  const spec: WatermarkSpec = {
    schema: input,
    column: at('t'),
    delayMicros: 2 * SECOND,
    expr: undefined,
    futureMicros: undefined,
    grids: [{ periodMicros: 10 * SECOND, phaseMicros: 3 * SECOND }],
    everyRow: false,
    cut: false,
    ...parts,
  }
  const make = (context: OperatorContext): Operator => new AssignWatermarks(spec, context)
  return { name: `AssignWatermarks ${name}`, input: form(false, true), make }
}

const watermarkCases: readonly OperatorCase[] = [
  watermarkCase('less a delay', {}),
  watermarkCase('of an expression', { expr: column('t') }),
  watermarkCase('for every row, with a guard', { everyRow: true, futureMicros: SECOND / 2 }),
  watermarkCase('cut', { cut: true, everyRow: true }),
]

const orders: readonly (readonly SortKey[])[] = [[key('b')], [key('s', true), key('t')], [key('ok')]]

const sortCases: readonly OperatorCase[] = orders.flatMap((keys) =>
  (['end', 'window', 'event-time'] as const).flatMap((mode) =>
    [undefined, 5].flatMap((limit) =>
      [false, true].map((revises): OperatorCase => {
        const spec = { schema: input, keys, mode, limit, offset: limit === undefined ? 0 : 2, revises, time: at('t') }
        const make = (context: OperatorContext): Operator => new Sort(spec, context)
        return { name: `Sort ${mode}, limit ${limit}${revises ? ', revised' : ''}`, input: form(revises), make }
      }),
    ),
  ),
)

const topCases: readonly OperatorCase[] = orders.flatMap((keys) =>
  [false, true].map((revises): OperatorCase => {
    const spec = { schema: input, keys, limit: 6, offset: 2, revises }
    return { name: `Top${revises ? ', revised' : ''}`, input: form(revises), make: (context) => new Top(spec, context) }
  }),
)

const limitCases: readonly OperatorCase[] = [
  { limit: 150, offset: 40 },
  { limit: undefined, offset: 120 },
  { limit: 30, offset: 0 },
].map((spec) => ({
  name: `Limit ${spec.limit} from ${spec.offset}`,
  input: form(false),
  make: (context) => new Limit({ schema: input, ...spec }, context),
}))

/** SELECT DISTINCT over one column, whose rows repeat. */
const distinctCases: readonly OperatorCase[] = ['s', 'b', 'ok'].map((name) => {
  const output = schema([column(name)].map(({ type }) => field(name, type)))
  const rows = { input, output, filters: [], outputs: [column(name)], revises: false }
  return {
    name: `Distinct ${name}`,
    input: form(false),
    make: (context) => piped(new RowStage(rows, context), new Distinct(output, context)),
  }
})

/** The batches of a stateless operator into another. */
function piped(first: Operator, second: Operator): Operator {
  return {
    schema: second.schema,
    *process(batch) {
      for (const output of first.process(batch, 0)) {
        if (output.kind === 'batch') yield* second.process(output.batch, 0)
        else yield output
      }
    },
    onWatermark: (micros) => second.onWatermark(micros),
    onEnd: () => second.onEnd(),
    snapshot: (out) => second.snapshot!(out),
    restore: (state) => second.restore!(state),
    [Symbol.dispose]() {
      first[Symbol.dispose]()
      second[Symbol.dispose]()
    },
  }
}

const listOutput = schema([...input.fields, field('element', types.bigint), field('n', types.bigint)])

/** Nothing of a row outlives it here: there is no snapshot, and a fresh one goes on where another stopped. */
const statelessCases: readonly OperatorCase[] = [
  {
    name: 'Unnest',
    input: form(true),
    make: (context) =>
      new Unnest(
        { output: listOutput, list: column('list'), spread: false, ordinality: true, outer: true },
        { ...context, batchRows: 5 },
      ),
  },
  {
    name: 'RowStage',
    input: form(true),
    make: (context) =>
      new RowStage(
        {
          input,
          output: schema([field('x', types.string), field('t', types.timestamp)]),
          filters: [above('b', 0)],
          outputs: [call('UPPER', column('s')), column('t')],
          revises: true,
        },
        context,
      ),
  },
  {
    name: 'Check',
    input: form(false),
    make: (context) =>
      new Check(
        { schema: input, checks: [{ expr: above('b', -5), code: 'row_check_violated', text: 'b > -5' }] },
        context,
      ),
  },
  { name: 'Union', input: form(true), make: () => new Union(input) },
]

/** Every operator in its forms. */
export const operatorCases: readonly OperatorCase[] = [
  ...groupCases,
  ...watermarkCases,
  ...sortCases,
  ...topCases,
  ...limitCases,
  ...distinctCases,
  ...statelessCases,
]
