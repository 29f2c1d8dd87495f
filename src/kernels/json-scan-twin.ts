import { isUtf8 } from 'node:buffer'
import type { WorkerMemory } from '../core/memory.ts'
import type { PathColumns, PathNode } from './json-paths.ts'
import type { Leaf } from './leaf.ts'
import { isJsonText, type Misfit, nullMisfit, storeJson } from './store-json.ts'

const BRACE = 0x7b
const QUOTE = 0x22
const BACKSLASH = 0x5c
/** In place of a position: every column is settled, the rest does not matter. */
const SETTLED = -2

/**
 * Reads one record at a time, in TypeScript: the oracle of the compiled scanner and its fallback for records that it
 * leaves. Of a repeated key the last counts. What no column reads is passed over unchecked; once every column is
 * settled, the rest of the record is not looked at (so a repetition there is not seen), unless `strict`.
 */
export class JsonRecordReader {
  readonly #columns: PathColumns
  readonly #memory: WorkerMemory
  readonly #strict: boolean
  #bytes: Uint8Array
  #end = 0
  #row = 0
  #fault: Misfit | undefined
  readonly #settled: Uint8Array
  #unsettled = 0

  constructor(columns: PathColumns, memory: WorkerMemory, strict: boolean) {
    this.#columns = columns
    this.#memory = memory
    this.#strict = strict
    this.#bytes = memory.bytes
    this.#settled = new Uint8Array(columns.leaves.length)
  }

  /** Stores the record `[start, end)` as row `row`, or says why it cannot be one. */
  read(row: number, start: number, end: number): Misfit | undefined {
    this.#bytes = this.#memory.bytes
    this.#row = row
    this.#fault = undefined
    this.#settled.fill(0)
    this.#unsettled = this.#settled.length
    this.#columns.clearRow(row)
    const fault = this.#record(start, end) ?? this.#missing()
    if (fault !== undefined) this.#columns.clearRow(row)
    return fault
  }

  #record(start: number, end: number): Misfit | undefined {
    const bytes = this.#bytes
    let last = end
    while (last > start && bytes[last - 1]! <= 32) last--
    const first = this.#blanks(start, last)
    this.#end = last
    if (first === last || bytes[first] !== BRACE) return invalid('the record is not a JSON object')
    if (bytes[last - 1] !== 0x7d) return invalid('the record does not end with the brace that closes it')
    if (this.#strict && !this.#isJson(start, end)) return invalid('the record is not valid JSON')
    if (this.#settled.length === 0 && !this.#strict) return undefined
    const after = this.#object(first, this.#columns.root)
    if (this.#fault !== undefined) return this.#fault
    if (after === last) return undefined
    // The bracket that ended the record may have closed an inner value; then the record is cut off.
    if (after === SETTLED && this.#settledAt < last) return undefined
    return invalid(
      after < 0 ? `the record is not valid JSON near byte ${this.#broken - start}` : 'more follows the record',
    )
  }

  #settledAt = 0
  #broken = 0

  #isJson(start: number, end: number): boolean {
    return isUtf8(this.#bytes.subarray(start, end)) && isJsonText(this.#memory.text.utf8Slice(start, end))
  }

  #missing(): Misfit | undefined {
    const row = this.#row
    for (const leaf of this.#columns.leaves) {
      if (leaf.spec.required && leaf.validity[row] === 0) return nullMisfit(leaf)
    }
    const slot = this.#columns.structs.find((struct) => struct.required && struct.validity[row] === 0)
    if (slot === undefined) return undefined
    return { code: 'row_not_null_violated', detail: `column ${JSON.stringify(slot.name)} is NULL` }
  }

  /** Reads the object at `at`; returns the position behind it, −1 when it is broken. */
  #object(at: number, node: PathNode): number {
    const bytes = this.#bytes
    for (const slot of node.structs) slot.validity[this.#row] = 1
    let p = this.#blanks(at + 1, this.#end)
    if (bytes[p] === 0x7d) return this.#leave(p + 1, node)
    for (;;) {
      if (bytes[p] !== QUOTE) return this.#break(p)
      const keyEnd = this.#stringEnd(p)
      if (keyEnd < 0) return this.#break(p)
      const key = this.#key(p, keyEnd)
      p = this.#blanks(keyEnd, this.#end)
      if (bytes[p] !== 0x3a) return this.#break(p)
      p = this.#blanks(p + 1, this.#end)
      const child = key === undefined ? undefined : node.children.get(key)
      p = child === undefined ? this.#valueEnd(p) : this.#value(p, child)
      if (p < 0) return p
      if (this.#unsettled === 0 && !this.#strict) return SETTLED
      p = this.#blanks(p, this.#end)
      if (bytes[p] === 0x7d && p < this.#end) return this.#leave(p + 1, node)
      if (bytes[p] !== 0x2c || p >= this.#end) return this.#break(p)
      p = this.#blanks(p + 1, this.#end)
    }
  }

  #leave(p: number, node: PathNode): number {
    for (const leaf of node.all) this.#settle(leaf, p)
    return p
  }

  #value(p: number, child: PathNode): number {
    // of a repeated key the last one counts
    for (const leaf of child.all) leaf.setNull(this.#row)
    this.#forget(child)
    let end = -1
    if (child.leaves.length > 0) {
      end = this.#valueEnd(p)
      if (end < 0) return -1
      for (const leaf of child.leaves) {
        this.#fault ??= storeJson(leaf, this.#row, this.#memory, p, end)
        this.#settle(leaf, end)
      }
    }
    if (child.children.size === 0) return end
    if (this.#bytes[p] === BRACE) return this.#object(p, child)
    const after = this.#valueEnd(p)
    if (after < 0) return -1
    if (child.structs.length > 0 && this.#memory.text.latin1Slice(p, after) !== 'null') {
      this.#fault ??= invalid(`column ${JSON.stringify(child.structs[0]!.name)}: not an object`)
    }
    return this.#leave(after, child)
  }

  #forget(node: PathNode): void {
    for (const slot of node.structs) slot.validity[this.#row] = 0
    for (const child of node.children.values()) this.#forget(child)
  }

  #settle(leaf: Leaf, at: number): void {
    if (this.#settled[leaf.index] === 1) return
    this.#settled[leaf.index] = 1
    this.#unsettled--
    this.#settledAt = at
  }

  #break(p: number): number {
    this.#broken = p
    return -1
  }

  #key(start: number, end: number): string | undefined {
    const raw = this.#memory.text.utf8Slice(start, end)
    if (!raw.includes('\\')) return raw.slice(1, -1)
    try {
      return JSON.parse(raw) as string
    } catch {
      return undefined
    }
  }

  #blanks(from: number, end: number): number {
    let p = from
    for (let c = this.#bytes[p]!; p < end && (c === 32 || c === 9 || c === 10 || c === 13); ) c = this.#bytes[++p]!
    return p
  }

  /** Behind the closing quote; −1 when there is none. */
  #stringEnd(start: number): number {
    const bytes = this.#bytes
    for (let p = start + 1; p < this.#end; p++) {
      const c = bytes[p]
      if (c === QUOTE) return p + 1
      if (c === BACKSLASH) p++
    }
    return -1
  }

  /** Behind any value, unchecked as asm/json-scan.ts does it. */
  #valueEnd(start: number): number {
    const bytes = this.#bytes
    const c = bytes[start]!
    if (c === QUOTE) {
      const end = this.#stringEnd(start)
      return end < 0 ? this.#break(start) : end
    }
    if (c === BRACE || c === 0x5b) return this.#nestedEnd(start)
    let p = start
    for (let d = bytes[p]!; p < this.#end && d > 32 && d !== 0x2c && d !== 0x7d && d !== 0x5d; d = bytes[++p]!) {
      if (d === QUOTE || d === BRACE || d === 0x5b) return this.#break(p)
    }
    return p > start ? p : this.#break(p)
  }

  #nestedEnd(start: number): number {
    const bytes = this.#bytes
    let depth = 0
    for (let p = start; p < this.#end; p++) {
      const c = bytes[p]
      if (c === QUOTE) {
        p = this.#stringEnd(p) - 1
        if (p < 0) return this.#break(start)
      } else if (c === BRACE || c === 0x5b) depth++
      else if (c === 0x7d || c === 0x5d) {
        if (--depth === 0) return p + 1
      }
    }
    return this.#break(start)
  }
}

const invalid = (detail: string): Misfit => ({ code: 'connector_record_invalid', detail })
