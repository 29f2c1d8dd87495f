import type { WorkerMemory } from '../core/memory.ts'

/** What the twin works on: the header's words as in asm/key-table.ts, and a map in place of the entries. */
export interface TwinTable {
  readonly memory: WorkerMemory
  readonly words: Uint32Array
  readonly slots: Map<string, number>
  readonly spansAddress: number
  readonly slotsAddress: number
}

/** The same as the kernel `keyLookup`: returns the row at which the table (1) or its arena (2) was full, or `to`. */
export function lookupTwin(table: TwinTable, from: number, to: number): number {
  const { memory, words, slots } = table
  const spans = new Uint32Array(memory.buffer, table.spansAddress, 2 * to)
  const out = new Int32Array(memory.buffer, table.slotsAddress, to)
  for (let i = from; i < to; i++) {
    const address = spans[2 * i]!
    const length = spans[2 * i + 1]!
    const key = memory.text.latin1Slice(address, address + length)
    let slot = slots.get(key)
    if (slot === undefined) {
      slot = words[2]!
      if (slot >= words[3]!) {
        words[8] = 1
        return i
      }
      const position = words[6]!
      if (position + length + 24 > words[7]!) {
        words[8] = 2
        return i
      }
      memory.bytes.copyWithin(position, address, address + length)
      const keySpans = new Uint32Array(memory.buffer, words[4]! + 8 * slot, 2)
      keySpans[0] = position
      keySpans[1] = length
      words[6] = (position + length + 7) & ~7
      words[2] = slot + 1
      slots.set(key, slot)
    }
    out[i] = slot
  }
  return to
}

/** The same as the kernel `keyCopy`. */
export function copyTwin(
  { memory, words }: Pick<TwinTable, 'memory' | 'words'>,
  from: number,
  to: number,
  end: number,
): { readonly slot: number; readonly end: number } {
  const size = words[2]!
  const spans = new Uint32Array(memory.buffer, words[4]!, 2 * size)
  let slot = from
  let at = to
  for (; slot < size; slot++) {
    const address = spans[2 * slot]!
    const length = spans[2 * slot + 1]!
    if (at + length > end) break
    memory.bytes.copyWithin(at, address, address + length)
    at += length
  }
  return { slot, end: at }
}
