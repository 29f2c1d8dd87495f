import { array, type DataType, decimal, map, types } from '../../core/types.ts'
import type { AggregateFunction, AggregateOverload } from '../aggregates.ts'
import { isInteger, isNumeric } from '../coerce.ts'
import type { Argument } from '../functions.ts'
import { accepts, example } from './define.ts'

type Spec = Omit<AggregateFunction, 'aliases' | 'examples' | 'orderSensitive' | 'rowArguments'> &
  Partial<AggregateFunction>

const aggregate = (spec: Spec): AggregateFunction => ({
  aliases: [],
  examples: [],
  orderSensitive: false,
  rowArguments: 1,
  ...spec,
})

type Result = { parameters: readonly DataType[]; type: DataType; nullable?: boolean } | undefined

const resolving =
  (name: string, choose: (args: readonly Argument[]) => Result) =>
  (args: readonly Argument[]): AggregateOverload | undefined => {
    const found = choose(args)
    return found && { name, nullable: true, ...found }
  }

const typesOf = (args: readonly Argument[]): DataType[] => args.map((arg) => arg.type)

/** One argument of any type. */
const same = (args: readonly Argument[]): Result =>
  args.length === 1 ? { parameters: typesOf(args), type: args[0]!.type } : undefined

function sum(args: readonly Argument[]): Result {
  const type = args.length === 1 ? args[0]!.type : undefined
  if (type === undefined) return undefined
  if (type.kind === 'null' || type.kind === 'smallint' || type.kind === 'int') {
    return { parameters: [type.kind === 'null' ? types.int : type], type: types.bigint }
  }
  if (type.kind === 'bigint') return { parameters: [type], type: decimal(38, 0) }
  if (type.kind === 'decimal') return { parameters: [type], type: decimal(38, type.scale) }
  return type.kind === 'double' || type.kind === 'interval' ? { parameters: [type], type } : undefined
}

function average(args: readonly Argument[]): Result {
  const type = args.length === 1 ? args[0]!.type : undefined
  if (type === undefined) return undefined
  if (type.kind === 'null' || isInteger(type)) {
    return { parameters: [type.kind === 'null' ? types.int : type], type: decimal(38, 16) }
  }
  if (type.kind === 'decimal') {
    const scale = Math.min(38 - (type.precision - type.scale), Math.max(type.scale, 16))
    return { parameters: [type], type: decimal(38, scale) }
  }
  return type.kind === 'double' || type.kind === 'interval' ? { parameters: [type], type } : undefined
}

const numbers =
  (count: number, type: DataType = types.double, nullable = true) =>
  (args: readonly Argument[]): Result =>
    args.length === count && args.every((arg) => isNumeric(arg.type) || arg.type.kind === 'null')
      ? { parameters: args.map(() => types.double), type, nullable }
      : undefined

const condition = (args: readonly Argument[]): Result =>
  args.length === 1 && accepts(args[0], types.boolean)
    ? { parameters: [types.boolean], type: types.boolean }
    : undefined

const counting: readonly AggregateFunction[] = [
  aggregate({
    name: 'COUNT',
    signatures: ['COUNT(*)', 'COUNT(x)', 'COUNT(DISTINCT x, …)'],
    summary: 'Number of rows, or of rows where no argument is NULL.',
    retract: 'inverse',
    rowArguments: Number.POSITIVE_INFINITY,
    resolve: resolving('COUNT', (args) => ({ parameters: typesOf(args), type: types.bigint, nullable: false })),
  }),
  aggregate({
    name: 'COUNT_DISTINCT',
    signatures: ['COUNT_DISTINCT(x, …)'],
    summary: 'Number of different values that are not NULL.',
    retract: 'inverse',
    rowArguments: Number.POSITIVE_INFINITY,
    resolve: resolving('COUNT_DISTINCT', (args) =>
      args.length > 0 ? { parameters: typesOf(args), type: types.bigint, nullable: false } : undefined,
    ),
  }),
  aggregate({
    name: 'COUNT_IF',
    signatures: ['COUNT_IF(b)'],
    summary: 'Number of rows where the condition is true.',
    retract: 'inverse',
    resolve: resolving('COUNT_IF', (args) => {
      const found = condition(args)
      return found && { ...found, type: types.bigint, nullable: false }
    }),
  }),
  aggregate({
    name: 'APPROX_COUNT_DISTINCT',
    signatures: ['APPROX_COUNT_DISTINCT(x)'],
    summary: 'HyperLogLog, 4096 registers, standard error 1.6 %, exact up to 256 values.',
    retract: 'no',
    resolve: resolving('APPROX_COUNT_DISTINCT', (args) => {
      const found = same(args)
      return found && { ...found, type: types.bigint, nullable: false }
    }),
  }),
]

const sums: readonly AggregateFunction[] = [
  aggregate({
    name: 'SUM',
    signatures: ['SUM(num)', 'SUM(INTERVAL)'],
    summary: 'Sum; NULL over no rows.',
    retract: 'inverse',
    resolve: resolving('SUM', sum),
  }),
  aggregate({
    name: 'AVG',
    signatures: ['AVG(num)', 'AVG(INTERVAL)'],
    summary: 'Mean; NULL over no rows.',
    examples: [example('AVG(x) over 1, 2, 4', '2.3333333333333333')],
    retract: 'inverse',
    resolve: resolving('AVG', average),
  }),
]

const extreme = (name: string, summary: string): AggregateFunction =>
  aggregate({ name, signatures: [`${name}(x)`], summary, retract: 'set', resolve: resolving(name, same) })

function delta(args: readonly Argument[]): Result {
  const type = args.length === 1 ? args[0]!.type : undefined
  if (type === undefined) return undefined
  if (isNumeric(type)) return { parameters: [type], type }
  if (type.kind === 'date') return { parameters: [type], type: types.bigint }
  return type.kind === 'timestamp' || type.kind === 'timestamptz'
    ? { parameters: [type], type: types.interval }
    : undefined
}

const picked = (name: string, aliases: readonly string[], summary: string): AggregateFunction =>
  aggregate({
    name,
    aliases,
    signatures: [`${name}(x)`],
    summary,
    retract: 'set',
    orderSensitive: true,
    resolve: resolving(name, same),
  })

const byOther = (name: string, alias: string, word: string): AggregateFunction =>
  aggregate({
    name,
    aliases: [alias],
    signatures: [`${name}(x, y)`],
    summary: `x of the row with the ${word} y; ties: the first.`,
    retract: 'set',
    orderSensitive: true,
    rowArguments: 2,
    resolve: resolving(name, (args) =>
      args.length === 2 ? { parameters: typesOf(args), type: args[0]!.type } : undefined,
    ),
  })

const choosing: readonly AggregateFunction[] = [
  extreme('MIN', 'Least value.'),
  extreme('MAX', 'Greatest value.'),
  aggregate({
    name: 'DELTA',
    signatures: ['DELTA(num)', 'DELTA(t)'],
    summary: 'MAX − MIN.',
    retract: 'set',
    resolve: resolving('DELTA', delta),
  }),
  picked('FIRST', ['FIRST_VALUE'], 'First value by event time that is not NULL.'),
  picked('LAST', ['LAST_VALUE'], 'Last value by event time that is not NULL.'),
  picked('ANY_VALUE', [], 'Some value that is not NULL: the first by event time.'),
  byOther('ARG_MIN', 'MIN_BY', 'least'),
  byOther('ARG_MAX', 'MAX_BY', 'greatest'),
  aggregate({
    name: 'BOOL_AND',
    aliases: ['EVERY'],
    signatures: ['BOOL_AND(b)'],
    summary: 'True when all are true.',
    retract: 'inverse',
    resolve: resolving('BOOL_AND', condition),
  }),
  aggregate({
    name: 'BOOL_OR',
    signatures: ['BOOL_OR(b)'],
    summary: 'True when one is true.',
    retract: 'inverse',
    resolve: resolving('BOOL_OR', condition),
  }),
]

const list = (name: string, aliases: readonly string[], summary: string): AggregateFunction =>
  aggregate({
    name,
    aliases,
    signatures: [`${name}(x)`],
    summary,
    retract: 'set',
    orderSensitive: true,
    resolve: resolving(name, (args) =>
      args.length === 1 ? { parameters: typesOf(args), type: array(args[0]!.type) } : undefined,
    ),
  })

const collecting: readonly AggregateFunction[] = [
  aggregate({
    name: 'STRING_AGG',
    aliases: ['GROUP_CONCAT', 'LISTAGG', 'COLLECT'],
    signatures: ['STRING_AGG(x, sep [ORDER BY …])', 'STRING_AGG(x)'],
    summary: "Values joined by the separator (default ','), in order of arrival without ORDER BY.",
    retract: 'set',
    orderSensitive: true,
    resolve: resolving('STRING_AGG', (args) =>
      (args.length === 1 || args.length === 2) && args.slice(1).every((arg) => accepts(arg, types.string))
        ? { parameters: args.map(() => types.string), type: types.string }
        : undefined,
    ),
  }),
  list('ARRAY_AGG', ['COLLECT_LIST'], 'All values, NULL included, in order of arrival without ORDER BY.'),
  list('COLLECT_SET', [], 'Different values that are not NULL, in order of arrival.'),
  aggregate({
    name: 'JSON_AGG',
    signatures: ['JSON_AGG(x)'],
    summary: 'All values as a JSON array.',
    retract: 'set',
    orderSensitive: true,
    resolve: resolving('JSON_AGG', (args) =>
      args.length === 1 ? { parameters: [types.json], type: types.json } : undefined,
    ),
  }),
  aggregate({
    name: 'JSON_OBJECT_AGG',
    signatures: ['JSON_OBJECT_AGG(k, v)'],
    summary: 'Keys and values as a JSON object; of a repeated key the last wins.',
    retract: 'set',
    orderSensitive: true,
    rowArguments: 2,
    resolve: resolving('JSON_OBJECT_AGG', (args) =>
      args.length === 2 ? { parameters: [types.string, types.json], type: types.json } : undefined,
    ),
  }),
  aggregate({
    name: 'MAP_AGG',
    signatures: ['MAP_AGG(k, v)'],
    summary: 'Keys and values as a map; of a repeated key the last wins.',
    retract: 'set',
    orderSensitive: true,
    rowArguments: 2,
    resolve: resolving('MAP_AGG', (args) =>
      args.length === 2 ? { parameters: typesOf(args), type: map(args[0]!.type, args[1]!.type) } : undefined,
    ),
  }),
  aggregate({
    name: 'HISTOGRAM',
    signatures: ['HISTOGRAM(x)'],
    summary: 'How often each value occurs.',
    retract: 'set',
    resolve: resolving('HISTOGRAM', (args) =>
      args.length === 1 ? { parameters: typesOf(args), type: map(args[0]!.type, types.bigint) } : undefined,
    ),
  }),
]

const moment = (
  name: string,
  aliases: readonly string[],
  summary: string,
  examples: AggregateFunction['examples'] = [],
) =>
  aggregate({
    name,
    aliases,
    signatures: [`${name}(num)`],
    summary,
    examples,
    retract: 'inverse',
    resolve: resolving(name, numbers(1)),
  })

const pair = (name: string, summary: string, examples: AggregateFunction['examples'] = []): AggregateFunction =>
  aggregate({
    name,
    signatures: [`${name}(y, x)`],
    summary,
    examples,
    retract: 'inverse',
    rowArguments: 2,
    resolve: resolving(name, name === 'REGR_COUNT' ? numbers(2, types.bigint, false) : numbers(2)),
  })

const PAIRS = ' over x = 1…5, y = 2,4,5,4,5'

const statistics: readonly AggregateFunction[] = [
  moment('STDDEV_SAMP', ['STDDEV'], 'Standard deviation of a sample; NULL for one row.', [
    example('STDDEV(x) over 2,4,5,4,5', '1.224744871391589'),
  ]),
  moment('STDDEV_POP', [], 'Standard deviation.', [example('STDDEV_POP(x) over 2,4,5,4,5', '1.0954451150103321')]),
  moment('VAR_SAMP', ['VARIANCE'], 'Variance of a sample; NULL for one row.', [
    example('VARIANCE(x) over 2,4,5,4,5', '1.5'),
  ]),
  moment('VAR_POP', [], 'Variance.', [example('VAR_POP(x) over 2,4,5,4,5', '1.2')]),
  pair('CORR', 'Correlation; NULL without spread.', [example(`CORR(y, x)${PAIRS}`, '0.7745966692414834')]),
  pair('COVAR_POP', 'Covariance.', [example(`COVAR_POP(y, x)${PAIRS}`, '1.2')]),
  pair('COVAR_SAMP', 'Covariance of a sample.', [example(`COVAR_SAMP(y, x)${PAIRS}`, '1.5')]),
  pair('REGR_SLOPE', 'Slope of the least-squares line.', [example(`REGR_SLOPE(y, x)${PAIRS}`, '0.6')]),
  pair('REGR_INTERCEPT', 'Intercept of the least-squares line.', [example(`REGR_INTERCEPT(y, x)${PAIRS}`, '2.2')]),
  pair('REGR_R2', 'Square of the correlation.', [example(`REGR_R2(y, x)${PAIRS}`, '0.6')]),
  pair('REGR_COUNT', 'Number of pairs without NULL.'),
  pair('REGR_AVGX', 'Mean of x.'),
  pair('REGR_AVGY', 'Mean of y.'),
  pair('REGR_SXX', 'Sum of squared differences of x from its mean.'),
  pair('REGR_SYY', 'Sum of squared differences of y from its mean.'),
  pair('REGR_SXY', 'Sum of products of differences from the means.'),
]

/** A number; one that is known lies between 0 and 1. */
function isShare(arg: Argument): boolean {
  if (!accepts(arg, types.double)) return false
  const value = arg.constant?.value
  if (typeof value !== 'number') return value === undefined
  const share = arg.type.kind === 'decimal' ? value / 10 ** arg.type.scale : value
  return share >= 0 && share <= 1
}

/** One ordered argument, then constant shares between 0 and 1. */
function percentile(args: readonly Argument[], type: DataType | 'same'): Result {
  const [x, ...shares] = args
  if (x === undefined || shares.length === 0 || !shares.every(isShare)) return undefined
  if (type !== 'same' && !accepts(x, types.double)) return undefined
  const one = type === 'same' ? x.type : type
  return {
    parameters: [type === 'same' ? x.type : types.double, ...shares.map(() => types.double)],
    type: shares.length === 1 ? one : array(one),
  }
}

const OF_FOUR = ' WITHIN GROUP (ORDER BY x) over 10,20,30,40'

const quantiles: readonly AggregateFunction[] = [
  aggregate({
    name: 'PERCENTILE_CONT',
    signatures: ['PERCENTILE_CONT(p [, …]) WITHIN GROUP (ORDER BY num)', 'PERCENTILE_CONT(num, p)'],
    summary: 'Interpolates at 1 + p(n−1).',
    examples: [example(`PERCENTILE_CONT(0.5)${OF_FOUR}`, '25'), example(`PERCENTILE_CONT(0.95)${OF_FOUR}`, '38.5')],
    retract: 'set',
    resolve: resolving('PERCENTILE_CONT', (args) => percentile(args, types.double)),
  }),
  aggregate({
    name: 'PERCENTILE_DISC',
    signatures: ['PERCENTILE_DISC(p [, …]) WITHIN GROUP (ORDER BY x)'],
    summary: 'Least value with cumulative share ≥ p.',
    examples: [example(`PERCENTILE_DISC(0.5)${OF_FOUR}`, '20')],
    retract: 'set',
    resolve: resolving('PERCENTILE_DISC', (args) => percentile(args, 'same')),
  }),
  aggregate({
    name: 'MEDIAN',
    signatures: ['MEDIAN(num)'],
    summary: 'PERCENTILE_CONT at 0.5.',
    retract: 'set',
    resolve: resolving('MEDIAN', numbers(1)),
  }),
  aggregate({
    name: 'MODE',
    signatures: ['MODE() WITHIN GROUP (ORDER BY x)'],
    summary: 'Most frequent value; ties: the least.',
    retract: 'set',
    resolve: resolving('MODE', same),
  }),
  aggregate({
    name: 'APPROX_PERCENTILE',
    signatures: ['APPROX_PERCENTILE(num, p)'],
    summary: 'Quantile sketch, rank error ≤ 1 %.',
    retract: 'no',
    resolve: resolving('APPROX_PERCENTILE', (args) => percentile(args, types.double)),
  }),
]

/** Every aggregate once, in the order of the reference. WITHIN GROUP: the ordered value is the first argument. */
export const aggregateList: readonly AggregateFunction[] = [
  ...counting,
  ...sums,
  ...choosing,
  ...collecting,
  ...statistics,
  ...quantiles,
]
