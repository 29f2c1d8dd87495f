/** Bytes of a page, and the least that a longer piece takes. */
export const PAGE = 64 * 1024

/**
 * Memory of states, used again: pages of the last state that was given back wait for the next one of the same operator.
 * Fresh memory at every barrier would have the engine look for garbage, which stops it for as long as the capture.
 */
export class StatePages {
  /** By size. */
  #free = new Map<number, Uint8Array<ArrayBuffer>[]>()

  /** At least `size` bytes of any content. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const rounded = roundedSize(size)
    return this.#free.get(rounded)?.pop() ?? new Uint8Array(rounded)
  }

  /** All pages of one state; what an earlier one left is let go. */
  give(pages: readonly Uint8Array<ArrayBuffer>[]): void {
    this.#free = Map.groupBy(pages, (page) => page.length)
  }
}

/** A quarter of a power of two more than the size before: a state that grows a little fits where the last one was. */
function roundedSize(size: number): number {
  if (size <= PAGE) return PAGE
  const step = 2 ** (Math.floor(Math.log2(size)) - 2)
  return Math.ceil(size / step) * step
}
