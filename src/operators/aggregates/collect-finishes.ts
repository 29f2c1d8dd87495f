import { jsonText } from '../../core/json-text.ts'
import type { DataType } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import type { BoundAggregate } from '../../expr/bound.ts'
import { integerCheck } from '../../expr/cast/numbers.ts'
import { comparator } from '../../expr/compare.ts'
import { checkPrecision, subtractExact } from '../../expr/exact.ts'
import { intervalOfMicros } from '../../expr/time/interval.ts'
import type { CollectForm, Entry, Finish } from './collect.ts'

type Make = (call: BoundAggregate) => CollectForm

const first = (entry: Entry): Value => entry.args[0]!
const values = (entries: readonly Entry[]): Value[] => entries.map(first)
const orNull =
  (finish: Finish): Finish =>
  (entries) =>
    entries.length === 0 ? null : finish(entries)

const sorted = (call: BoundAggregate, entries: readonly Entry[]): Value[] => {
  const order = call.orderBy[0]?.descending === true ? -1 : 1
  const compare = comparator(call.args[0]!.type)
  return values(entries).sort((a, b) => order * compare(a, b))
}

const extreme =
  (greatest: boolean): Make =>
  (call) => ({
    keepNulls: false,
    finish: orNull((entries) => sorted({ ...call, orderBy: [] }, entries).at(greatest ? -1 : 0)!),
  })

/** x of the row whose y is least or greatest; of equal ones the first. */
const extremeBy =
  (greatest: boolean): Make =>
  (call) => {
    const compare = comparator(call.args[1]!.type)
    const finish = orNull((entries) => {
      let best: Entry | undefined
      for (const entry of entries) {
        if (entry.args[1] === null) continue
        const order = best === undefined ? 1 : compare(entry.args[1]!, best.args[1]!)
        if (best === undefined || (greatest ? order > 0 : order < 0)) best = entry
      }
      return best === undefined ? null : first(best)
    })
    return { keepNulls: false, finish }
  }

/** One answer per share; an array when there are several. */
function perShare(call: BoundAggregate, answer: (ordered: readonly Value[], share: number) => Value): CollectForm {
  const shares = call.parameters as readonly number[]
  const finish = orNull((entries) => {
    const ordered = sorted(call, entries)
    const answers = shares.map((share) => answer(ordered, share))
    return answers.length === 1 ? answers[0]! : answers
  })
  return { keepNulls: false, finish }
}

/** Interpolates at 1 + p(n − 1). */
function continuous(ordered: readonly Value[], share: number): Value {
  const at = share * (ordered.length - 1)
  const low = ordered[Math.floor(at)] as number
  const high = ordered[Math.ceil(at)] as number
  return low === high ? low : low + (high - low) * (at - Math.floor(at))
}

/** The least value with a cumulative share of at least p. */
const discrete = (ordered: readonly Value[], share: number): Value =>
  ordered[Math.max(0, Math.ceil(share * ordered.length) - 1)]!

function distinctBy(entries: readonly Entry[], type: DataType): { value: Value; count: number }[] {
  const counts = new Map<string, { value: Value; count: number }>()
  for (const entry of entries) {
    const key = jsonText(first(entry), type)
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { value: first(entry), count: 1 })
    else known.count++
  }
  return [...counts.values()]
}

function mode(call: BoundAggregate): CollectForm {
  const { type } = call.args[0]!
  const compare = comparator(type)
  const finish = orNull((entries) => {
    const counts = distinctBy(entries, type).sort((a, b) => b.count - a.count || compare(a.value, b.value))
    return counts[0]!.value
  })
  return { keepNulls: false, finish }
}

/** high − low as the type's own difference: an INTERVAL of times, a number of numbers. */
function differenceIn(type: DataType): (low: Value, high: Value) => Value {
  const subtract = subtractExact as (high: Value, low: Value) => ExactInteger
  switch (type.kind) {
    case 'double':
      return (low, high) => (high as number) - (low as number)
    case 'timestamp':
    case 'timestamptz':
      return (low, high) => intervalOfMicros(subtract(high, low))
    case 'decimal':
      return (low, high) => checkPrecision(subtract(high, low), type.precision)
    case 'date':
      return (low, high) => subtract(high, low)
    default: {
      const fits = integerCheck(type)
      return (low, high) => fits(subtract(high, low))
    }
  }
}

function delta(call: BoundAggregate): CollectForm {
  const { type } = call.args[0]!
  const differenceOf = differenceIn(type)
  const finish = orNull((entries) => {
    const ordered = sorted({ ...call, orderBy: [] }, entries)
    return differenceOf(ordered[0]!, ordered.at(-1)!)
  })
  return { keepNulls: false, finish }
}

const mapOf: Finish = orNull((entries) => {
  const map = new Map<Value, Value>()
  for (const { args } of entries) map.set(args[0]!, args[1]!)
  return map
})

const jsonObject: Finish = orNull((entries) => {
  const members = new Map<string, string>()
  for (const { args } of entries) members.set(args[0] as string, (args[1] as string | null) ?? 'null')
  return `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
})

/** Aggregates that keep their rows, by name; also the revising form of those that keep one value. */
export const collectForms: Readonly<Record<string, Make>> = {
  MIN: extreme(false),
  MAX: extreme(true),
  FIRST: () => ({ keepNulls: false, finish: orNull((entries) => first(entries[0]!)) }),
  ANY_VALUE: () => ({ keepNulls: false, finish: orNull((entries) => first(entries[0]!)) }),
  LAST: () => ({ keepNulls: false, finish: orNull((entries) => first(entries.at(-1)!)) }),
  ARG_MIN: extremeBy(false),
  ARG_MAX: extremeBy(true),
  DELTA: delta,
  STRING_AGG: (call) => {
    const separator = (call.parameters[0] as string | null | undefined) ?? ','
    return { keepNulls: false, finish: orNull((entries) => values(entries).join(separator)) }
  },
  ARRAY_AGG: () => ({ keepNulls: true, finish: orNull(values) }),
  COLLECT_SET: (call) => ({
    keepNulls: false,
    finish: orNull((entries) => distinctBy(entries, call.args[0]!.type).map(({ value }) => value)),
  }),
  JSON_AGG: () => ({
    keepNulls: true,
    finish: orNull(
      (entries) =>
        `[${values(entries)
          .map((value) => value ?? 'null')
          .join(',')}]`,
    ),
  }),
  JSON_OBJECT_AGG: () => ({ keepNulls: false, finish: jsonObject }),
  MAP_AGG: () => ({ keepNulls: false, finish: mapOf }),
  HISTOGRAM: (call) => ({
    keepNulls: false,
    finish: orNull(
      (entries) => new Map(distinctBy(entries, call.args[0]!.type).map(({ value, count }) => [value, count])),
    ),
  }),
  PERCENTILE_CONT: (call) => perShare(call, continuous),
  PERCENTILE_DISC: (call) => perShare(call, discrete),
  MEDIAN: (call) => perShare({ ...call, parameters: [0.5] }, continuous),
  MODE: mode,
}
