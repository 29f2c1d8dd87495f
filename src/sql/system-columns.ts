import { type DataType, map, types } from '../core/types.ts'

/** Read-only columns that are not part of `*` (sql.md §9). Names are matched whatever the case. */
export const systemColumns = {
  _key: types.string,
  _partition: types.int,
  _offset: types.bigint,
  _timestamp: types.timestamp,
  _event_time: types.timestamp,
  _topic: types.string,
  _source: types.string,
  _headers: map(types.string, types.string),
  _op: types.string,
  _ingest_time: types.timestamp,
  _filename: types.string,
  _row_number: types.bigint,
} as const satisfies Record<string, DataType>

export type SystemColumn = keyof typeof systemColumns
