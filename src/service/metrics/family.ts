import { LATENCY_BUCKETS, type SecondsHistogram } from '../../datastreams/counters.ts'

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** Behind the name of the family: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string
}

/** One metric: its values are read when somebody asks, nothing is counted twice. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: () => readonly Sample[]
}

/** Series of one metric; what is beyond them is summed up as `other`. */
const SERIES_MAX = 2000

/** Sums of values with equal labels; beyond the limit the first label becomes `other`. */
export function bounded(entries: Iterable<readonly [Labels, number]>): readonly Sample[] {
  const samples = new Map<string, { labels: Labels; value: number }>()
  for (const [labels, value] of entries) {
    let key = JSON.stringify(labels)
    let kept = labels
    if (!samples.has(key) && samples.size >= SERIES_MAX) {
      kept = Object.fromEntries(Object.entries(labels).map(([name, text], i) => [name, i === 0 ? 'other' : text]))
      key = JSON.stringify(kept)
    }
    const sample = samples.get(key)
    if (sample === undefined) samples.set(key, { labels: kept, value })
    else sample.value += value
  }
  return [...samples.values()]
}

/** The samples of a histogram, its counts summed up by upper bound. */
export function histogramSamples(labels: Labels, { counts, sum, count }: SecondsHistogram): readonly Sample[] {
  let below = 0
  const buckets = LATENCY_BUCKETS.map((bound, i): Sample => {
    below += counts[i]!
    return { suffix: '_bucket', labels: { ...labels, le: String(bound) }, value: below }
  })
  return [
    ...buckets,
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: count },
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ]
}
