import { HeadraceError } from '../../core/errors.ts'
import type { WorkerMemory } from '../../core/memory.ts'

/** What the splitter found at a position. */
export type Piece =
  | { readonly kind: 'record'; readonly start: number; readonly end: number }
  /** Bytes that no value can begin with, up to `end`. */
  | { readonly kind: 'broken'; readonly start: number; readonly end: number }
  /** More bytes are needed from here on. */
  | { readonly kind: 'more' }

/** Behind the bracket that closes the one at `start`, or 0 when that is not before `end`. */
export type NestedEnd = (start: number, end: number) => number

/**
 * Cuts a JSON text into its records: the items of arrays, or values one after another. With a pointer (`/a/b`) the
 * records are what lies there in each top-level object. Values are found by their brackets; whether they are JSON is
 * for who reads them.
 */
export class ValueSplitter {
  readonly #memory: WorkerMemory
  readonly #nestedEnd: NestedEnd
  readonly #pointer: readonly string[]
  /** What is open around `position`: an object on the pointer's way, or the array of records. */
  #open: ('object' | 'array')[] = []
  /** Everything before it is done with. */
  position = 0

  constructor(memory: WorkerMemory, nestedEnd: NestedEnd, pointer: string | undefined) {
    this.#memory = memory
    this.#nestedEnd = nestedEnd
    this.#pointer = parsePointer(pointer ?? '')
  }

  reset(): void {
    this.#open = []
  }

  /** True between records, outside of all brackets. */
  get atTop(): boolean {
    return this.#open.length === 0
  }

  /** The next record of `[position, end)`; `last`: nothing follows. Moves `position` behind it. */
  next(end: number, last: boolean): Piece {
    for (;;) {
      this.position = this.#blanks(this.position, end)
      if (this.position >= end) return { kind: 'more' }
      const c = this.#memory.bytes[this.position]!
      if (this.#open.at(-1) === 'object') {
        const found = this.#inObject(c, end)
        if (found !== undefined) return found
        continue
      }
      if (c === 0x5d && this.#open.at(-1) === 'array') {
        this.#open.pop()
        this.position++
        continue
      }
      const onTheWay = this.#open.length < this.#pointer.length && this.#open.at(-1) !== 'array'
      if (onTheWay && c === 0x7b) {
        this.#open.push('object')
        this.position++
        continue
      }
      if (!onTheWay && c === 0x5b && this.#open.at(-1) !== 'array') {
        this.#open.push('array')
        this.position++
        continue
      }
      return this.#value(end, last)
    }
  }

  /** Inside an object on the way: goes to the key wanted, passes over others. Undefined: look again. */
  #inObject(c: number, end: number): Piece | undefined {
    if (c === 0x7d) {
      this.#open.pop()
      this.position++
      return undefined
    }
    const keyEnd = c === 0x22 ? this.#stringEnd(this.position, end) : -1
    if (keyEnd === 0) return { kind: 'more' }
    if (keyEnd < 0) return this.#broken(end)
    const colon = this.#blanks(keyEnd, end)
    if (colon >= end) return { kind: 'more' }
    if (this.#memory.bytes[colon] !== 0x3a) return this.#broken(end)
    const value = this.#blanks(colon + 1, end)
    if (value >= end) return { kind: 'more' }
    const depth = this.#open.length
    if (this.#key(this.position, keyEnd) === this.#pointer[depth - 1]) {
      const opening = this.#memory.bytes[value]
      if (depth < this.#pointer.length && opening === 0x7b) {
        this.#open.push('object')
        this.position = value + 1
        return undefined
      }
      if (depth === this.#pointer.length && opening === 0x5b) {
        this.#open.push('array')
        this.position = value + 1
        return undefined
      }
      if (depth === this.#pointer.length && opening === 0x7b) {
        const stop = this.#nestedEnd(value, end)
        if (stop === 0) return { kind: 'more' }
        this.position = stop
        return { kind: 'record', start: value, end: stop }
      }
    }
    const stop = this.#valueEnd(value, end)
    if (stop === 0) return { kind: 'more' }
    if (stop < 0) return this.#broken(end)
    this.position = stop
    return undefined
  }

  #value(end: number, last: boolean): Piece {
    const start = this.position
    const stop = this.#valueEnd(start, end)
    // A number may go on in the next bytes.
    if (stop === 0 || (stop === end && !last && !this.#closes(stop - 1))) return { kind: 'more' }
    if (stop < 0) return this.#broken(end)
    this.position = stop
    return { kind: 'record', start, end: stop }
  }

  #closes(at: number): boolean {
    const c = this.#memory.bytes[at]
    return c === 0x7d || c === 0x5d || c === 0x22
  }

  /** Gives up to the end of the line. */
  #broken(end: number): Piece {
    const start = this.position
    const { bytes } = this.#memory
    let p = start
    while (p < end && bytes[p] !== 10) p++
    this.position = p
    return { kind: 'broken', start, end: p }
  }

  /** Commas between values are passed over like blanks. */
  #blanks(from: number, end: number): number {
    const { bytes } = this.#memory
    let p = from
    while (p < end && (bytes[p]! <= 32 || bytes[p] === 0x2c)) p++
    return p
  }

  #key(start: number, end: number): string {
    try {
      return JSON.parse(this.#memory.text.utf8Slice(start, end)) as string
    } catch {
      return ''
    }
  }

  /** Behind the closing quote; 0 when it is not there yet. */
  #stringEnd(start: number, end: number): number {
    const { bytes } = this.#memory
    for (let p = start + 1; p < end; p++) {
      if (bytes[p] === 0x22) return p + 1
      if (bytes[p] === 0x5c) p++
    }
    return 0
  }

  /** Behind the value; 0: not there yet; −1: no value begins so. */
  #valueEnd(start: number, end: number): number {
    const { bytes } = this.#memory
    const c = bytes[start]!
    if (c === 0x22) return this.#stringEnd(start, end)
    if (c === 0x7b || c === 0x5b) return this.#nestedEnd(start, end)
    let p = start
    while (p < end && bytes[p]! > 32 && bytes[p] !== 0x2c && bytes[p] !== 0x7d && bytes[p] !== 0x5d) p++
    return p > start ? p : -1
  }
}

/** `/a/b~1c` → a, b/c (RFC 6901). */
function parsePointer(pointer: string): readonly string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) {
    throw new HeadraceError('connector_option_invalid', `option "records": "${pointer}" is not a JSON pointer`, {
      hint: 'Begin it with /, as in /data/items.',
    })
  }
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The same without the kernel. */
export const nestedEndTwin =
  (memory: WorkerMemory): NestedEnd =>
  (start, end) => {
    const { bytes } = memory
    let depth = 0
    for (let p = start; p < end; p++) {
      const c = bytes[p]!
      if (c === 0x22) {
        for (p++; p < end && bytes[p] !== 0x22; p++) if (bytes[p] === 0x5c) p++
        if (p >= end) return 0
      } else if (c === 0x7b || c === 0x5b) depth++
      else if (c === 0x7d || c === 0x5d) {
        if (--depth === 0) return p + 1
      }
    }
    return 0
  }
