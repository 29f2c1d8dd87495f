import type { StateReader } from '../../state/state-reader.ts'
import type { StateWriter } from '../../state/state-writer.ts'

/** Slots below `slots` of which some keep nothing. */
export function writeSlots<T>(
  out: StateWriter,
  items: readonly (T | undefined)[],
  slots: number,
  write: (item: T) => void,
): void {
  for (let slot = 0; slot < slots; slot++) {
    const item = items[slot]
    out.bool(item !== undefined)
    if (item !== undefined) write(item)
  }
}

export function readSlots<T>(state: StateReader, slots: number, read: () => T): (T | undefined)[] {
  const items: (T | undefined)[] = []
  for (let slot = 0; slot < slots; slot++) items.push(state.bool() ? read() : undefined)
  return items
}

/** `records` times `width` numbers. */
export function writeRecords(
  out: StateWriter,
  width: number,
  records: number,
  numbersOf: (record: number) => readonly number[],
): void {
  out.fill(width * records, 8, (bytes) => {
    const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, width * records)
    for (let record = 0; record < records; record++) numbers.set(numbersOf(record), width * record)
  })
}

export function readRecords<T>(
  state: StateReader,
  width: number,
  records: number,
  read: (numbers: Float64Array) => T,
): T[] {
  const numbers = new Float64Array(state.f64Bytes(width * records).slice().buffer)
  return Array.from({ length: records }, (_, i) => read(numbers.subarray(width * i, width * (i + 1))))
}

/** Wide integers by slot. */
export function writeWide(out: StateWriter, wide: ReadonlyMap<number, bigint>): void {
  out.list(wide, ([slot, value]) => {
    out.u32(slot)
    out.value(value)
  })
}

export function readWide(state: StateReader, wide: Map<number, bigint>): void {
  state.list(() => wide.set(state.u32(), state.bigint()))
}
