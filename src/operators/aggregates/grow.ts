const capacityFor = (slots: number): number => Math.max(64, 2 ** Math.ceil(Math.log2(slots)))

/** The array itself when it is long enough, else a copy of at least twice the size; new elements are 0. */
export function grownF64(array: Float64Array, slots: number): Float64Array<ArrayBuffer> {
  if (array.length >= slots) return array as Float64Array<ArrayBuffer>
  const larger = new Float64Array(capacityFor(slots))
  larger.set(array)
  return larger
}

export function grownU8(array: Uint8Array, slots: number): Uint8Array<ArrayBuffer> {
  if (array.length >= slots) return array as Uint8Array<ArrayBuffer>
  const larger = new Uint8Array(capacityFor(slots))
  larger.set(array)
  return larger
}
