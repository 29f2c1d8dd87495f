import { field, schema, types } from '../../src/core/types.ts'

/** The columns of the published record that the copy reads and writes. */
export const copySchema = schema([
  field('event_time', types.bigint),
  field('user_id', types.string),
  field('url', types.string),
  field('amount', types.double),
  field('status', types.string),
  field('latency', types.bigint),
  field('channel', types.string),
])
