import { HeadraceError } from '../../core/errors.ts'
import type { BoundAggregate } from '../../expr/bound.ts'
import type { AccumulatorFactory, AccumulatorKind } from './accumulator.ts'
import { countKind } from './count.ts'
import { sumDoubleKind } from './sum-double.ts'
import { sumExactKind } from './sum-exact.ts'

const sumOrAverage =
  (average: boolean): AccumulatorFactory =>
  (call) =>
    call.args[0]!.type.kind === 'double' ? sumDoubleKind(average) : sumExactKind(call, average)

const factories: Readonly<Record<string, AccumulatorFactory>> = {
  COUNT: () => countKind,
  SUM: sumOrAverage(false),
  AVG: sumOrAverage(true),
}

/** How the calls of a grouping accumulate. */
export function accumulatorKind(call: BoundAggregate): AccumulatorKind {
  const factory = factories[call.overload.name]
  if (factory === undefined || call.distinct) {
    throw new HeadraceError('sql_feature_unsupported', `aggregate ${call.overload.name} is not built yet`)
  }
  return factory(call)
}
