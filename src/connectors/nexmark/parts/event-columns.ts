import type { Column, StructColumn } from '../../../core/column.ts'
import { ColumnBuilder } from '../../../core/column-builder.ts'
import type { WorkerMemory } from '../../../core/memory.ts'
import { Scratch } from '../../../core/scratch.ts'
import { type DataType, types } from '../../../core/types.ts'
import type { NexmarkModel } from './model.ts'
import { type KindColumn, kindColumns } from './tables.ts'

/** The rows of a batch: event numbers and kinds, side by side. */
export interface EventRows {
  readonly numbers: Float64Array
  readonly kinds: Uint8Array
  rows: number
}

/** Makes one column of a batch. */
export interface ColumnMaker extends Disposable {
  make(events: EventRows): Column
}

interface MakerContext {
  readonly model: NexmarkModel
  readonly memory: WorkerMemory
  readonly capacity: number
  /** Address of the model's texts in the memory: cut texts are spans, nothing is copied. */
  readonly poolAddress: number
}

/** The maker for a wanted path of a table: `[column]` of a typed table, `[kind]` or `[kind, field]` of `events`. */
export function makerFor(path: readonly string[], kind: number | undefined, context: MakerContext): ColumnMaker {
  if (kind !== undefined) return leaf(columnOf(kind, path[0]!), kind, context)
  if (path[0] === 'event_type') return eventType(context)
  const at = ['person', 'auction', 'bid'].indexOf(path[0]!)
  if (path.length > 1) return leaf(columnOf(at, path[1]!), at, context)
  return structMaker(at, context)
}

const columnOf = (kind: number, name: string): KindColumn => kindColumns[kind]!.find((column) => column.name === name)!

function eventType({ capacity, memory }: MakerContext): ColumnMaker {
  const address = memory.allocate(4 * capacity)
  const data = new Int32Array(memory.buffer, address, capacity)
  return {
    make({ kinds, rows }) {
      for (let i = 0; i < rows; i++) data[i] = kinds[i]!
      return { kind: 'i32', type: types.int, validity: undefined, data }
    },
    [Symbol.dispose]: () => memory.free(address, 4 * capacity),
  }
}

function leaf(column: KindColumn, kind: number, context: MakerContext): ColumnMaker {
  if (column.maker.kind === 'number') return numbers(column.type, column.maker.make, kind, context)
  if (column.maker.kind === 'cut') return cuts(column.maker.make, kind, context)
  return texts(column.maker.make, kind, context)
}

function numbers(
  type: DataType,
  make: (model: NexmarkModel, n: number) => number,
  kind: number,
  { model, memory, capacity }: MakerContext,
): ColumnMaker {
  const address = memory.allocate(8 * capacity)
  const data = new Float64Array(memory.buffer, address, capacity)
  const validity = new Uint8Array(capacity)
  return {
    make({ numbers: events, kinds, rows }) {
      let nulls = 0
      for (let i = 0; i < rows; i++) {
        const here = kinds[i] === kind
        data[i] = here ? make(model, events[i]!) : 0
        validity[i] = here ? 1 : 0
        if (!here) nulls++
      }
      return { kind: 'i64', lane: 'safe', type, validity: nulls === 0 ? undefined : validity, data }
    },
    [Symbol.dispose]: () => memory.free(address, 8 * capacity),
  }
}

function cuts(
  make: (model: NexmarkModel, n: number) => void,
  kind: number,
  { model, memory, capacity, poolAddress }: MakerContext,
): ColumnMaker {
  const address = memory.allocate(8 * capacity)
  const spans = new Uint32Array(memory.buffer, address, 2 * capacity)
  const validity = new Uint8Array(capacity)
  return {
    make({ numbers: events, kinds, rows }) {
      let nulls = 0
      for (let i = 0; i < rows; i++) {
        const here = kinds[i] === kind
        if (here) make(model, events[i]!)
        spans[2 * i] = here ? poolAddress + model.at : poolAddress
        spans[2 * i + 1] = here ? model.length : 0
        validity[i] = here ? 1 : 0
        if (!here) nulls++
      }
      const bytes = memory.bytes
      return { kind: 'utf8', type: types.string, validity: nulls === 0 ? undefined : validity, spans, bytes }
    },
    [Symbol.dispose]: () => memory.free(address, 8 * capacity),
  }
}

function texts(
  make: (model: NexmarkModel, n: number) => string,
  kind: number,
  { model, memory, capacity }: MakerContext,
): ColumnMaker {
  const builder = new ColumnBuilder(types.string, capacity, memory)
  return {
    make({ numbers: events, kinds, rows }) {
      builder.reset()
      for (let i = 0; i < rows; i++) builder.append(kinds[i] === kind ? make(model, events[i]!) : null)
      return builder.finish()
    },
    [Symbol.dispose]: () => builder[Symbol.dispose](),
  }
}

function structMaker(kind: number, context: MakerContext): ColumnMaker {
  const columns = kindColumns[kind]!
  const fields = columns.map((column) => leaf(column, kind, context))
  const validity = new Uint8Array(context.capacity)
  const type: DataType = {
    kind: 'struct',
    fields: columns.map((column) => ({ name: column.name, type: column.type, nullable: false })),
  }
  return {
    make(events) {
      for (let i = 0; i < events.rows; i++) validity[i] = events.kinds[i] === kind ? 1 : 0
      const made: StructColumn = { kind: 'struct', type, validity, fields: fields.map((child) => child.make(events)) }
      return made
    },
    [Symbol.dispose]: () => {
      for (const child of fields) child[Symbol.dispose]()
    },
  }
}

/** Puts the model's texts (ASCII) into the memory. */
export function placePools(model: NexmarkModel, memory: WorkerMemory): { address: number; scratch: Scratch } {
  const scratch = new Scratch(memory)
  return { address: scratch.copy(Buffer.from(model.pools.text, 'latin1')), scratch }
}
