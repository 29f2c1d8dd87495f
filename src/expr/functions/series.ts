import { limits } from '../../core/limits.ts'
import { array, type DataType, types } from '../../core/types.ts'
import type { ExactInteger, Interval } from '../../core/values.ts'
import { integerResult, isInteger, isTime } from '../coerce.ts'
import { addExact, compareExact, divideTruncated, subtractExact } from '../exact.ts'
import { type Argument, RowFailure, type ScalarFunction, type ScalarOverload } from '../functions.ts'
import { compareIntervals, fixedMicros, shiftTimestamp } from '../time/interval.ts'
import { shiftInZone } from '../time/zones.ts'
import { accepts, define, example, overload } from './define.ts'

const noStep = () => new RowFailure('row_invalid_argument', 'the step of a series is zero')

function checkLength(items: ExactInteger): void {
  if (items <= limits.seriesRowsMax) return
  throw new RowFailure('row_invalid_argument', `a series of more than ${limits.seriesRowsMax} rows`)
}

/** The integers from `first` by `step`, as far as `last`; none when the step leads away. */
function integers(first: ExactInteger, last: ExactInteger, step: ExactInteger): ExactInteger[] {
  if (step === 0) throw noStep()
  if (compareExact(first, last) * (step > 0 ? 1 : -1) > 0) return []
  const length = addExact(divideTruncated(subtractExact(last, first), step), 1)
  checkLength(length)
  const items: ExactInteger[] = []
  for (let item = first; items.length < length; item = addExact(item, step)) items.push(item)
  return items
}

type Shift = (micros: ExactInteger, by: Interval) => ExactInteger

/** Each instant is the one before it plus the step: months are clipped to the end of a month (Jan 31, Feb 28, Mar 28). */
function instants(first: ExactInteger, last: ExactInteger, step: Interval, shift: Shift): ExactInteger[] {
  const direction = compareIntervals(step, { months: 0, days: 0, micros: 0 })
  if (direction === 0) throw noStep()
  const length = fixedMicros(step)
  if (length !== undefined) checkLength(divideTruncated(subtractExact(last, first), length))
  const items: ExactInteger[] = []
  let item = first
  while (compareExact(item, last) * direction <= 0) {
    items.push(item)
    checkLength(items.length)
    const next = following(item, step, shift)
    if (next === undefined) break
    if (compareExact(next, item) * direction <= 0) {
      throw new RowFailure('row_invalid_argument', 'the step of a series does not advance')
    }
    item = next
  }
  return items
}

/** Undefined beyond the years 1 to 9999: every last instant has been passed. */
function following(item: ExactInteger, step: Interval, shift: Shift): ExactInteger | undefined {
  try {
    return shift(item, step)
  } catch (failure) {
    if (failure instanceof RowFailure) return undefined
    throw failure
  }
}

const NAME = 'GENERATE_SERIES'

/** Not deterministic: it must not be folded, as a plan holds the bounds of a series and not its rows. */
const series = (element: DataType, parameters: readonly DataType[], call: ScalarOverload['call']): ScalarOverload =>
  overload({ name: NAME, parameters, type: array(element), deterministic: false, fallible: true, call })

function resolve(args: readonly Argument[]): ScalarOverload | undefined {
  const [first, last, step, zone] = args
  if (first === undefined || last === undefined || args.length > 4) return undefined
  const given = args.map(({ type }) => type).filter((type) => type.kind !== 'null')
  if (zone === undefined && given.every(isInteger)) {
    const element = given.reduce<DataType>(integerResult, types.int)
    const parameters = args.map(() => element)
    return series(element, parameters, (a, b, by) =>
      integers(a as ExactInteger, b as ExactInteger, (by ?? 1) as ExactInteger),
    )
  }
  const bounds = [first.type, last.type].filter((type) => type.kind !== 'null')
  if (step === undefined || !bounds.every(isTime) || !accepts(step, types.interval)) return undefined
  const element = bounds.some((type) => type.kind === 'timestamptz') ? types.timestamptz : types.timestamp
  const parameters = [element, element, types.interval]
  if (zone === undefined) {
    const shift: Shift = (micros, by) => shiftTimestamp(micros, by, 1)
    return series(element, parameters, (a, b, by) =>
      instants(a as ExactInteger, b as ExactInteger, by as Interval, shift),
    )
  }
  if (element.kind !== 'timestamptz' || !accepts(zone, types.string)) return undefined
  return series(element, [...parameters, types.string], (a, b, by, where) => {
    const shift: Shift = (micros, step) => shiftInZone(micros, step, 1, where as string)
    return instants(a as ExactInteger, b as ExactInteger, by as Interval, shift)
  })
}

/** Functions that stand in FROM: each gives an array, one row an element. */
export const tableFunctionList: readonly ScalarFunction[] = [
  define({
    name: NAME,
    signatures: [
      'GENERATE_SERIES(int, int [, step])',
      'GENERATE_SERIES(t, t, INTERVAL)',
      'GENERATE_SERIES(TIMESTAMPTZ, TIMESTAMPTZ, INTERVAL, zone)',
    ],
    summary: `One row for each value from the first to the last, both included, ${limits.seriesRowsMax} at most; the step is 1 when it is left out and may be negative.`,
    examples: [example('GENERATE_SERIES(1, 7, 3)', '1, 4, 7')],
    resolve,
  }),
]
