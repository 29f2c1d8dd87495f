import type { Batch, Mark, Provenance } from '../core/batch.ts'
import type { Column } from '../core/column.ts'
import type { Output } from './operator.ts'

/** The batch with only the rows at `kept` (ascending, at least one); its own arrays. */
export function keepRows(batch: Batch, kept: readonly number[]): Batch {
  return {
    schema: batch.schema,
    rows: kept.length,
    columns: batch.columns.map((column) => keepColumn(column, kept)),
    changes: batch.changes === undefined ? undefined : pick(batch.changes, Uint8Array, kept),
    marks: batch.marks === undefined ? undefined : keepMarks(batch.marks, kept),
    watermarks: batch.watermarks === undefined ? undefined : pick(batch.watermarks, Float64Array, kept),
    provenance: batch.provenance && keepProvenance(batch.provenance, kept),
  }
}

/** Where the rows at `kept` came from; a row may stand there more than once. */
export function keepProvenance(provenance: Provenance, kept: readonly number[]): Provenance {
  const { ordinals, recordStarts, recordEnds, rows } = provenance
  const at = rows === undefined ? kept : kept.map((row) => rows[row]!)
  return {
    ...provenance,
    ordinals: Int32Array.from(at, (row) => ordinals?.[row] ?? row),
    recordStarts: recordStarts && pick(recordStarts, Uint32Array, at),
    recordEnds: recordEnds && pick(recordEnds, Uint32Array, at),
    rows: undefined,
  }
}

/** Marks keep their place between the rows that are left. */
export function keepMarks(marks: readonly Mark[], kept: readonly number[]): Mark[] {
  let at = 0
  return marks.map(({ row, watermark }) => {
    while (at < kept.length && kept[at]! < row) at++
    return { row: at, watermark }
  })
}

/** What is left of a batch without its rows: the watermark that its marks had come to. */
export function* lastMark(batch: Batch): Iterable<Output> {
  const last = batch.marks?.at(-1)
  if (last !== undefined) yield { kind: 'watermark', micros: last.watermark }
}

function pick<A extends { [index: number]: number | bigint; length: number }>(
  source: A,
  make: new (length: number) => A,
  kept: readonly number[],
): A {
  const target = new make(kept.length)
  for (const [i, row] of kept.entries()) target[i] = source[row]!
  return target
}

function keepColumn(column: Column, kept: readonly number[]): Column {
  const validity = column.validity === undefined ? undefined : pick(column.validity, Uint8Array, kept)
  switch (column.kind) {
    case 'f64':
      return { ...column, validity, data: pick(column.data, Float64Array, kept) }
    case 'i32':
      return { ...column, validity, data: pick(column.data, Int32Array, kept) }
    case 'i64':
      return column.lane === 'safe'
        ? { ...column, validity, data: pick(column.data, Float64Array, kept) }
        : { ...column, validity, data: pick(column.data, BigInt64Array, kept) }
    case 'decimal':
      if (column.lane === 'ratio') {
        const counts = pick(column.counts, Float64Array, kept)
        return { ...column, validity, sums: pick(column.sums, Float64Array, kept), counts }
      }
      return column.lane === 'safe'
        ? { ...column, validity, data: pick(column.data, Float64Array, kept) }
        : { ...column, validity, data: kept.map((row) => column.data[row]!) }
    case 'bool':
      return { ...column, validity, data: pick(column.data, Uint8Array, kept) }
    case 'dict':
      return { ...column, validity, codes: pick(column.codes, Int32Array, kept) }
    case 'utf8': {
      const spans = new Uint32Array(2 * kept.length)
      for (const [i, row] of kept.entries()) {
        spans[2 * i] = column.spans[2 * row]!
        spans[2 * i + 1] = column.spans[2 * row + 1]!
      }
      return { ...column, validity, spans }
    }
    case 'struct':
      return { ...column, validity, fields: column.fields.map((field) => keepColumn(field, kept)) }
    case 'boxed':
      return { ...column, validity, data: kept.map((row) => column.data[row]!) }
  }
}
