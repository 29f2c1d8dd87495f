import type { WorkerMemory } from '../core/memory.ts'
import type { PathColumns, PathNode } from './json-paths.ts'
import { stepBytes, writeValueStep } from './json-template.ts'

const ENTRY_BYTES = 32
const NODE_BYTES = 8
/** Keys that a set of seen keys can hold. */
const KEYS_MOST = 64

/**
 * The tree of wanted keys in the form that asm/json-walk.ts reads, in one region; the root's address is 0 when the
 * columns cannot be read that way (too many keys, two columns of one value).
 */
export class JsonNodes implements Disposable {
  readonly root: number = 0
  readonly required: { readonly address: number; readonly count: number }
  readonly validities: { readonly address: number; readonly count: number }
  readonly #memory: WorkerMemory
  readonly #address: number
  readonly #size: number
  #top: number
  #keys = 0

  constructor(columns: PathColumns, memory: WorkerMemory) {
    this.#memory = memory
    const slots = [...columns.leaves, ...columns.structs]
    const needed = columns.leaves.filter((leaf) => leaf.spec.required)
    const must = [...needed, ...columns.structs.filter((slot) => slot.required)]
    this.#size = sizeOf(columns.root) + 4 * (slots.length + must.length) + 64
    this.#address = memory.allocate(this.#size)
    this.#top = this.#address
    this.validities = this.#list(slots.map((slot) => slot.validityAddress))
    this.required = this.#list(must.map((slot) => slot.validityAddress))
    const plain = isPlain(columns.root) && columns.root.structs.length === 0
    if (plain && countKeys(columns.root) <= KEYS_MOST) this.root = this.#node(columns.root)
  }

  [Symbol.dispose](): void {
    this.#memory.free(this.#address, this.#size)
  }

  #take(size: number): number {
    const address = this.#top
    this.#top += (size + 7) & ~7
    return address
  }

  #list(addresses: readonly number[]): { readonly address: number; readonly count: number } {
    const address = this.#take(4 * addresses.length)
    new Uint32Array(this.#memory.buffer, address, addresses.length).set(addresses)
    return { address, count: addresses.length }
  }

  #node(node: PathNode): number {
    const address = this.#take(NODE_BYTES)
    const entries = this.#take(ENTRY_BYTES * node.children.size)
    new Uint32Array(this.#memory.buffer, address, 2).set([node.children.size, entries])
    let at = entries
    for (const [key, child] of node.children) {
      const text = Buffer.from(key)
      const keyAddress = this.#take(text.length + 16)
      this.#memory.bytes.set(text, keyAddress)
      const leaf = child.leaves[0]
      let step = 0
      if (leaf !== undefined) {
        step = this.#take(stepBytes)
        writeValueStep(this.#memory, step, leaf)
      }
      const below = child.children.size > 0 ? this.#node(child) : 0
      const present = child.structs[0]?.validityAddress ?? 0
      new Uint32Array(this.#memory.buffer, at, 6).set([keyAddress, text.length, step, below, present, this.#keys++])
      at += ENTRY_BYTES
    }
    return address
  }
}

/** Each value is read by one column at most. */
const isPlain = (node: PathNode): boolean =>
  [...node.children.values()].every(
    (child) =>
      child.leaves.length + (child.children.size > 0 ? 1 : 0) === 1 && child.structs.length <= 1 && isPlain(child),
  )

const countKeys = (node: PathNode): number =>
  [...node.children.values()].reduce((sum, child) => sum + countKeys(child), node.children.size)

function sizeOf(node: PathNode): number {
  let size = NODE_BYTES
  for (const [key, child] of node.children) {
    size += ENTRY_BYTES + stepBytes + Buffer.byteLength(key) + 24 + sizeOf(child)
  }
  return size
}
