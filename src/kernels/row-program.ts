import type { Column, DictColumn, Utf8Column } from '../core/column.ts'
import { valueAt } from '../core/column-read.ts'
import type { Scratch } from '../core/scratch.ts'
import type { Value } from '../core/values.ts'

/** Kinds of steps of a row encoder; the numbers are those of asm/encode.ts. */
export const PUT = {
  end: 0,
  f64: 1,
  i32: 2,
  i64: 3,
  i64Wide: 4,
  scaled: 5,
  time: 7,
  timeWide: 8,
  date: 9,
  bool: 10,
  string: 11,
  raw: 12,
  bytes: 13,
  codes: 14,
  struct: 15,
  change: 16,
  csvText: 17,
  csvCodes: 18,
  constant: 19,
  ratio: 20,
} as const

/** Bytes of one step. */
export const STEP_BYTES = 32

/** Literal texts stand behind the program, this many bytes apart at least. */
export interface PutStep {
  readonly kind: number
  /** Text before the value, as address and length. */
  readonly literal: number
  readonly literalLength: number
  readonly data: number
  /** 0: no NULL. */
  readonly validity: number
  readonly extra: number
  /** Steps to pass over when a struct is NULL. */
  readonly skip: number
  readonly quoted: boolean
}

/** Writes step `index` of the program at `program`. */
export function writeStep(words: Uint32Array, index: number, step: PutStep): void {
  const at = index * (STEP_BYTES / 4)
  words[at] = step.literal
  words[at + 1] = step.literalLength
  words[at + 2] = step.kind
  words[at + 3] = step.data
  words[at + 4] = step.validity
  words[at + 5] = step.extra
  words[at + 6] = step.skip
  words[at + 7] = step.quoted ? 1 : 0
}

/** What a value step gets of a column. */
export interface PutValue {
  readonly kind: number
  readonly data: number
  readonly extra: number
}

/** Writes one value as text; for what only the host can write. */
export type TextOf = (value: Exclude<Value, null>) => string

/** How strings are written. */
export interface TextKinds {
  readonly utf8: number
  readonly dict: number
  readonly json: number
}

/**
 * The step value for a column of at most `rows` rows. Columns that the kernel cannot write are written as text here,
 * into `scratch`; `textOf` gives the final spelling.
 */
export function putValueOf(
  column: Column,
  rows: number,
  options: { readonly scratch: Scratch; readonly kinds: TextKinds; readonly textOf: TextOf },
): PutValue {
  const { scratch, kinds } = options
  switch (column.kind) {
    case 'f64':
      return { kind: PUT.f64, data: addressOf(column.data, scratch), extra: 0 }
    case 'i32':
      return { kind: column.type.kind === 'date' ? PUT.date : PUT.i32, data: addressOf(column.data, scratch), extra: 0 }
    case 'i64': {
      const isTime = column.type.kind !== 'bigint'
      const safe = column.lane === 'safe'
      const kind = isTime ? (safe ? PUT.time : PUT.timeWide) : safe ? PUT.i64 : PUT.i64Wide
      return { kind, data: addressOf(column.data, scratch), extra: 0 }
    }
    case 'bool':
      return { kind: PUT.bool, data: addressOf(column.data, scratch), extra: 0 }
    case 'utf8':
      return { kind: utf8Kind(column, kinds), data: addressOf(column.spans, scratch), extra: 0 }
    case 'dict':
      return { kind: kinds.dict, data: addressOf(column.codes, scratch), extra: entriesOf(column, scratch) }
    case 'decimal': {
      if (column.lane === 'ratio') {
        return { kind: PUT.ratio, data: addressOf(column.sums, scratch), extra: addressOf(column.counts, scratch) }
      }
      if (column.lane === 'wide') return textValue(column.data, column.validity, rows, options)
      const scale = column.type.kind === 'decimal' ? column.type.scale : 0
      return { kind: PUT.scaled, data: addressOf(column.data, scratch), extra: scale }
    }
    case 'boxed':
      return textValue(column.data, column.validity, rows, options)
    case 'struct': {
      const values = Array.from({ length: rows }, (_, row) => valueAt(column, row))
      return textValue(values, column.validity, rows, options)
    }
  }
}

function utf8Kind(column: Utf8Column, kinds: TextKinds): number {
  if (column.type.kind === 'json') return kinds.json
  return column.type.kind === 'bytes' ? PUT.bytes : kinds.utf8
}

function entriesOf(column: DictColumn, scratch: Scratch): number {
  return addressOf(column.dictionary.spans, scratch)
}

/** Address of an array that lies in the worker's memory, or of a copy there. Shared buffers are the worker's. */
export function addressOf(array: ArrayBufferView & { readonly buffer: ArrayBufferLike }, scratch: Scratch): number {
  if (array.buffer instanceof SharedArrayBuffer) return array.byteOffset
  return scratch.copy(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
}

function textValue(
  data: readonly Value[],
  validity: Uint8Array | undefined,
  rows: number,
  options: { readonly scratch: Scratch; readonly textOf: TextOf; readonly kinds: TextKinds },
): PutValue {
  const { scratch, textOf } = options
  const spans = scratch.take(8 * rows)
  const words = new Uint32Array(scratch.memory.buffer, spans, 2 * rows)
  for (let row = 0; row < rows; row++) {
    const value = data[row] ?? null
    const isNull = value === null || (validity !== undefined && validity[row] === 0)
    words[2 * row] = isNull ? spans : scratch.text(textOf(value))
    words[2 * row + 1] = isNull ? 0 : scratch.lastLength
  }
  return { kind: options.kinds.json, data: spans, extra: 0 }
}
