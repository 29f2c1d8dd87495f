import { limits } from '../core/limits.ts'
import type { WorkerMemory } from '../core/memory.ts'
import type { PathColumns, PathNode, StructSlot } from './json-paths.ts'
import { type Leaf, VALUE } from './leaf.ts'

/** Steps that are not values; the numbers are those of asm/json-scan.ts. */
const STEP = { end: 0, last: 1, literal: 2, present: 3, nothing: 4, skip: 5, skipOther: 6 } as const
/** Bytes of a step. */
export const stepBytes = 96
const LITERAL_BYTES = 32
const STEPS_MOST = 2048

interface Step {
  readonly kind: number
  /** Verbatim bytes before the value, as an address range. */
  readonly start: number
  readonly end: number
  readonly target?: Leaf | StructSlot | undefined
}

/**
 * Writes the template of the record `[start, end)` into memory: one step per key up to the last column (with `whole`,
 * up to the record's end). Returns undefined for records that only the reader should see: repeated or escaped keys on
 * the way, missing required columns, values of the wrong shape.
 */
export class TemplateWriter {
  readonly #columns: PathColumns
  readonly #memory: WorkerMemory
  readonly #whole: boolean
  #bytes: Uint8Array
  #steps: Step[] = []
  #literal = 0
  #end = 0
  #seen = new Set<PathNode>()
  #settled = new Set<Leaf>()
  #done = false

  constructor(columns: PathColumns, memory: WorkerMemory, whole: boolean) {
    this.#columns = columns
    this.#memory = memory
    this.#whole = whole
    this.#bytes = memory.bytes
  }

  write(start: number, end: number): { readonly address: number; readonly size: number } | undefined {
    this.#bytes = this.#memory.bytes
    this.#steps = []
    this.#seen = new Set()
    this.#settled = new Set()
    this.#done = false
    this.#literal = start
    this.#end = end
    while (this.#end > start && this.#bytes[this.#end - 1]! <= 32) this.#end--
    const first = this.#blanks(start)
    if (this.#bytes[first] !== 0x7b || this.#bytes[this.#end - 1] !== 0x7d) return undefined
    // Nothing is read: the braces are all there is to see.
    if (this.#columns.leaves.length === 0 && !this.#whole) {
      this.#push(STEP.literal, first + 1)
      this.#steps.push({ kind: STEP.end, start: 0, end: 0 })
      return this.#store()
    }
    const after = this.#object(first, this.#columns.root)
    if (after < 0) return undefined
    if (this.#done) {
      // Settled by a closing brace: that it stands there must be compared too.
      if (after > this.#literal) this.#push(STEP.literal, after)
      this.#steps.push({ kind: STEP.end, start: 0, end: 0 })
    } else {
      if (after !== this.#end || this.#missesRequired()) return undefined
      this.#push(STEP.last, after)
    }
    return this.#store()
  }

  #missesRequired(): boolean {
    const { leaves, structs } = this.#columns
    if (leaves.some((leaf) => leaf.spec.required && !this.#settled.has(leaf))) return true
    return structs.some((slot) => slot.required && !this.#steps.some((step) => step.target === slot))
  }

  /** Steps of the object at `at`; the position behind it, or −1. */
  #object(at: number, node: PathNode): number {
    const bytes = this.#bytes
    let p = this.#blanks(at + 1)
    for (const slot of node.structs) this.#push(STEP.present, p, slot)
    if (bytes[p] === 0x7d) return this.#leave(p + 1, node)
    for (;;) {
      if (this.#steps.length > STEPS_MOST || bytes[p] !== 0x22) return -1
      const keyEnd = this.#plainStringEnd(p)
      if (keyEnd < 0) return -1
      const key = this.#memory.text.utf8Slice(p + 1, keyEnd - 1)
      p = this.#blanks(keyEnd)
      if (bytes[p] !== 0x3a) return -1
      p = this.#blanks(p + 1)
      const child = node.children.get(key)
      if (child === undefined) {
        this.#push(STEP.skip, p)
        p = this.#valueEnd(p)
        this.#literal = p
      } else p = this.#column(p, child)
      if (p < 0 || this.#done) return p
      p = this.#blanks(p)
      if (bytes[p] === 0x7d && p < this.#end) return this.#leave(p + 1, node)
      if (bytes[p] !== 0x2c || p >= this.#end) return -1
      p = this.#blanks(p + 1)
    }
  }

  #column(p: number, child: PathNode): number {
    if (this.#seen.has(child)) return -1
    this.#seen.add(child)
    if (child.leaves.length + (child.children.size > 0 ? 1 : 0) > 1) return -1
    const leaf = child.leaves[0]
    if (leaf !== undefined) {
      this.#push(leaf.kind, p, leaf)
      const end = this.#valueEnd(p)
      if (end < 0) return -1
      this.#literal = end
      return this.#settle(leaf, end)
    }
    if (this.#bytes[p] === 0x7b) {
      this.#depth++
      const end = this.#depth > limits.jsonDepthMax ? -1 : this.#object(p, child)
      this.#depth--
      return end
    }
    const end = this.#valueEnd(p)
    if (end < 0) return -1
    const isNull = this.#memory.text.latin1Slice(p, end) === 'null'
    if (child.structs.length > 0 && !isNull) return -1
    this.#push(isNull ? STEP.nothing : STEP.skipOther, p)
    this.#literal = end
    return this.#leave(end, child)
  }

  #depth = 0

  /** Behind an object: what it did not hold is missing for good. Of the record itself that is seen at its end. */
  #leave(p: number, node: PathNode): number {
    if (node === this.#columns.root) return p
    for (const leaf of node.all) {
      if (leaf.spec.required && !this.#settled.has(leaf)) return -1
      this.#settle(leaf, p)
    }
    return p
  }

  #settle(leaf: Leaf, p: number): number {
    this.#settled.add(leaf)
    if (this.#settled.size === this.#columns.leaves.length && !this.#whole) this.#done = !this.#missesRequired()
    return p
  }

  /** A step whose literal ends at `end`; long literals become several steps. */
  #push(kind: number, end: number, target?: Leaf | StructSlot): void {
    let start = this.#literal
    while (end - start > LITERAL_BYTES) {
      this.#steps.push({ kind: STEP.literal, start, end: start + LITERAL_BYTES })
      start += LITERAL_BYTES
    }
    this.#steps.push({ kind, start, end, target })
    this.#literal = end
  }

  #store(): { readonly address: number; readonly size: number } {
    const size = this.#steps.length * stepBytes
    const address = this.#memory.allocate(size)
    const bytes = this.#memory.bytes.fill(0, address, address + size)
    this.#steps.forEach((step, i) => {
      const at = address + i * stepBytes
      const words = new Uint32Array(this.#memory.buffer, at, 8)
      const { target } = step
      if (target !== undefined && 'kind' in target) writeValueStep(this.#memory, at, target)
      else {
        words[0] = step.kind
        words[3] = target?.validityAddress ?? 0
      }
      words[1] = step.end - step.start
      bytes.copyWithin(at + 32, step.start, step.end)
      bytes.fill(0xff, at + 64, at + 64 + step.end - step.start)
    })
    return { address, size }
  }

  #blanks(from: number): number {
    let p = from
    for (let c = this.#bytes[p]!; p < this.#end && (c === 32 || c === 9 || c === 10 || c === 13); )
      c = this.#bytes[++p]!
    return p
  }

  /** Behind the closing quote of a string without escapes; else −1. */
  #plainStringEnd(start: number): number {
    for (let p = start + 1; p < this.#end; p++) {
      if (this.#bytes[p] === 0x22) return p + 1
      if (this.#bytes[p] === 0x5c) return -1
    }
    return -1
  }

  #stringEnd(start: number): number {
    for (let p = start + 1; p < this.#end; p++) {
      if (this.#bytes[p] === 0x22) return p + 1
      if (this.#bytes[p] === 0x5c) p++
    }
    return -1
  }

  #valueEnd(start: number): number {
    const bytes = this.#bytes
    if (bytes[start] === 0x22) return this.#stringEnd(start)
    if (bytes[start] === 0x7b || bytes[start] === 0x5b) {
      let depth = 0
      for (let p = start; p < this.#end; p++) {
        const c = bytes[p]!
        if (c === 0x22) {
          p = this.#stringEnd(p) - 1
          if (p < 0) return -1
        } else if ((c & 0xdf) === 0x5b) depth++
        else if ((c & 0xdf) === 0x5d && --depth === 0) return p + 1
      }
      return -1
    }
    let p = start
    while (p < this.#end && bytes[p]! > 32 && bytes[p] !== 0x2c && bytes[p] !== 0x7d && bytes[p] !== 0x5d) p++
    return p > start ? p : -1
  }
}

/** The step that reads a leaf's value, with an empty literal. */
export function writeValueStep(memory: WorkerMemory, address: number, leaf: Leaf): void {
  memory.bytes.fill(0, address, address + stepBytes)
  const words = new Uint32Array(memory.buffer, address, 8)
  words[0] = leaf.kind
  words[2] = leaf.kind === VALUE.host ? 0 : leaf.dataAddress
  words[3] = leaf.validityAddress
  words[4] = leaf.wideAddress
  words[5] = (leaf.spec.required ? 1 : 0) | (leaf.spec.mixed ? 2 : 0)
  words[6] = leaf.index
  words[7] = leaf.parameter
}
