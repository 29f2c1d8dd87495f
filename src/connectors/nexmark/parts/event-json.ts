import type { NexmarkModel } from './model.ts'
import { kindColumns } from './tables.ts'

const KIND_NAMES = ['person', 'auction', 'bid'] as const

/** The JSON form of an event (nexmark.md §3), with its line break. Texts are plain ASCII without quotes. */
export function eventJson(model: NexmarkModel, n: number): string {
  const kind = model.kind(n)
  const fields = kindColumns[kind]!.map(({ name, type, maker }) => {
    if (maker.kind === 'number') {
      const value = maker.make(model, n)
      return `"${name}":${type.kind === 'timestamp' ? `"${isoMillis(value)}"` : value}`
    }
    if (maker.kind === 'text') return `"${name}":"${maker.make(model, n)}"`
    maker.make(model, n)
    return `"${name}":"${model.pools.text.slice(model.at, model.at + model.length)}"`
  })
  const object = `{${fields.join(',')}}`
  const parts = KIND_NAMES.map((name, i) => `"${name}":${i === kind ? object : 'null'}`)
  return `{"event_type":${kind},${parts.join(',')}}\n`
}

/** Always three fraction digits. */
const isoMillis = (micros: number): string => new Date(micros / 1000).toISOString()
