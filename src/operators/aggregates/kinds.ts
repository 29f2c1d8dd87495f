import { columnKind } from '../../core/column.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { BoundAggregate } from '../../expr/bound.ts'
import type { AccumulatorKind } from './accumulator.ts'
import { approximateDistinctKind } from './approximate-distinct.ts'
import { extremeByKind, extremeKind, firstKind } from './best.ts'
import { truthKind, truthNames } from './boolean.ts'
import { collectKind } from './collect.ts'
import { collectForms } from './collect-finishes.ts'
import { countKind } from './count.ts'
import { distinctKind } from './distinct.ts'
import { extremeDoubleKind } from './extreme-double.ts'
import { extremeNumberKind } from './extreme-number.ts'
import { momentKind, momentNames } from './moments.ts'
import { sketchKind } from './quantile-sketch.ts'
import { sumDoubleKind } from './sum-double.ts'
import { sumExactKind } from './sum-exact.ts'
import { sumIntervalKind } from './sum-interval.ts'

/** How a call accumulates; `retracts`: its input may take rows back, so nothing may be forgotten. */
export function accumulatorKind(call: BoundAggregate, retracts: boolean): AccumulatorKind {
  const isDistinct = call.distinct || call.overload.name === 'COUNT_DISTINCT'
  const kind = plainKind(call, retracts)
  const types = call.args.map((arg) => arg.type)
  return withCall(isDistinct ? distinctKind(kind, types) : kind)
}

/** A kind without a compiled step is called from the generated loop, so that the rest of the grouping stays compiled. */
function withCall(kind: AccumulatorKind): AccumulatorKind {
  if (kind.emitAdd !== undefined) return kind
  return {
    ...kind,
    emitAdd(code, args, names) {
      const values = args.map(({ value, isNull }) => (isNull === 'false' ? value : `(${isNull}) ? null : ${value}`))
      code.line(`${names.self()}.add(${names.slot}, [${values.join(', ')}], ${code.constant([])})`)
    },
  }
}

function plainKind(call: BoundAggregate, retracts: boolean): AccumulatorKind {
  const { name } = call.overload
  if (name === 'COUNT' || name === 'COUNT_DISTINCT') return countKind
  if (name === 'SUM' || name === 'AVG') return sumKind(call, name === 'AVG')
  if (truthNames.includes(name)) return truthKind(name)
  if (momentNames.includes(name)) return momentKind(name)
  if (name === 'APPROX_COUNT_DISTINCT') return approximateDistinctKind(call.args[0]!.type)
  if (name === 'APPROX_PERCENTILE') return sketchKind(call.parameters as readonly number[])
  if (!retracts) {
    const kept = keptKind(call)
    if (kept !== undefined) return kept
  }
  const form = collectForms[name]
  if (form !== undefined) return collectKind(call, form(call))
  throw new HeadraceError('sql_feature_unsupported', `the aggregate ${name} is not built yet`)
}

function sumKind(call: BoundAggregate, average: boolean): AccumulatorKind {
  const { kind } = call.args[0]!.type
  if (kind === 'double') return sumDoubleKind(average)
  return kind === 'interval' ? sumIntervalKind(average) : sumExactKind(call, average)
}

const EXACT = new Set(['i32', 'i64', 'decimal'])

/** Aggregates that keep one value per group while rows only come. */
function keptKind(call: BoundAggregate): AccumulatorKind | undefined {
  switch (call.overload.name) {
    case 'MIN':
    case 'MAX': {
      const greatest = call.overload.name === 'MAX'
      const kind = columnKind(call.args[0]!.type)
      if (kind === 'f64') return extremeDoubleKind(greatest)
      return EXACT.has(kind) ? extremeNumberKind(greatest) : extremeKind(call, greatest)
    }
    case 'FIRST':
    case 'ANY_VALUE':
      return firstKind(call, false)
    case 'LAST':
      return firstKind(call, true)
    case 'ARG_MIN':
      return extremeByKind(call, false)
    case 'ARG_MAX':
      return extremeByKind(call, true)
    default:
      return undefined
  }
}
