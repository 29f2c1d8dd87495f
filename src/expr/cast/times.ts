import type { DataType } from '../../core/types.ts'
import type { ExactInteger, Value } from '../../core/values.ts'
import { dayOfMicros, microsOf } from '../time/civil.ts'

/** Between DATE, TIMESTAMP and TIMESTAMPTZ; the zone is UTC. */
export function timeToTime(from: DataType, to: DataType): (value: Value) => Value {
  if (from.kind === 'date') return (value) => microsOf(value as number, 0)
  if (to.kind === 'date') return (value) => dayOfMicros(value as ExactInteger)
  return (value) => value
}
