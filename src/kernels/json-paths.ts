import type { Column } from '../core/column.ts'
import type { WorkerMemory } from '../core/memory.ts'
import type { DataType } from '../core/types.ts'
import { Leaf, type LeafSpec } from './leaf.ts'

/** A column to read: object keys from the record's root lead to it. */
export interface PathColumn extends LeafSpec {
  readonly path: readonly string[]
}

/** One object key on the way to columns. */
export interface PathNode {
  readonly children: Map<string, PathNode>
  readonly leaves: Leaf[]
  /** STRUCT columns that are this object. */
  readonly structs: StructSlot[]
  /** All leaves at and below. */
  readonly all: Leaf[]
}

/** Presence of a STRUCT: one byte per row. */
export interface StructSlot {
  readonly name: string
  readonly required: boolean
  readonly validityAddress: number
  readonly validity: Uint8Array
}

/** How a column is put together after a scan. */
type Shape =
  | { readonly kind: 'leaf'; readonly leaf: Leaf }
  | { readonly kind: 'struct'; readonly slot: StructSlot; readonly type: DataType; readonly fields: readonly Shape[] }

/**
 * The columns of a scanner: leaves with their storage, as a tree by path for those who read records and as shapes for
 * who builds batches. A STRUCT column is its fields' leaves.
 */
export class PathColumns implements Disposable {
  readonly root: PathNode = node()
  readonly leaves: Leaf[] = []
  readonly structs: StructSlot[] = []
  readonly #shapes: readonly Shape[]
  readonly #memory: WorkerMemory
  readonly #capacity: number

  constructor(columns: readonly PathColumn[], memory: WorkerMemory, capacity: number) {
    this.#memory = memory
    this.#capacity = capacity
    this.#shapes = columns.map((column) => this.#add(column, [this.root]))
  }

  /** Before the first row of a batch of at most `rows` rows. */
  begin(rows: number): void {
    for (const leaf of this.leaves) leaf.begin(rows)
    for (const slot of this.structs) slot.validity.fill(0, 0, rows)
  }

  /** Before a record is read into a row again: no column has a value there. */
  clearRow(row: number): void {
    for (const leaf of this.leaves) leaf.setNull(row)
    for (const slot of this.structs) slot.validity[row] = 0
  }

  /** The columns of the first `rows` rows. */
  finish(rows: number, build: (leaf: Leaf) => Column, anyNull: (slot: StructSlot) => boolean): Column[] {
    const column = (shape: Shape): Column => {
      if (shape.kind === 'leaf') return build(shape.leaf)
      const { slot, type } = shape
      const validity = anyNull(slot) ? slot.validity : undefined
      return { kind: 'struct', type, validity, fields: shape.fields.map(column) }
    }
    return rows === 0 ? [] : this.#shapes.map(column)
  }

  [Symbol.dispose](): void {
    for (const leaf of this.leaves) leaf[Symbol.dispose]()
    for (const slot of this.structs) this.#memory.free(slot.validityAddress, this.#capacity)
  }

  /** `above`: the nodes from the root to where the column's path begins. */
  #add(column: PathColumn, above: readonly PathNode[]): Shape {
    const nodes = [...above]
    for (const key of column.path) nodes.push(childOf(nodes.at(-1)!, key))
    const target = nodes.at(-1)!
    const { type } = column
    if (type.kind === 'struct') {
      const validityAddress = this.#memory.allocate(this.#capacity)
      const validity = new Uint8Array(this.#memory.buffer, validityAddress, this.#capacity)
      const slot: StructSlot = { name: column.name, required: column.required, validityAddress, validity }
      this.structs.push(slot)
      target.structs.push(slot)
      const fields = type.fields.map((f) => {
        const inner = { ...column, name: `${column.name}.${f.name}`, path: [f.name], type: f.type, required: false }
        return this.#add(inner, nodes)
      })
      return { kind: 'struct', slot, type, fields }
    }
    const leaf = new Leaf(column, this.leaves.length, { memory: this.#memory, capacity: this.#capacity })
    this.leaves.push(leaf)
    target.leaves.push(leaf)
    for (const each of nodes) each.all.push(leaf)
    return { kind: 'leaf', leaf }
  }
}

const node = (): PathNode => ({ children: new Map(), leaves: [], structs: [], all: [] })

function childOf(parent: PathNode, key: string): PathNode {
  let child = parent.children.get(key)
  if (child === undefined) {
    child = node()
    parent.children.set(key, child)
  }
  return child
}
