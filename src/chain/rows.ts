import { array, field, type Schema, schema, struct, types } from '../core/types.ts'
import { type ExactInteger, exact, INT64_MAX, type Value } from '../core/values.ts'
import { toHex } from './numbers.ts'
import type { Batch, BlockInBatch } from './types.ts'

export type RowForm = 'batch' | 'block'

const head = [
  field('batch_number', types.bigint),
  field('batch_number_hex', types.string, false),
  field('batch_hash', types.string, false),
  field('l1_block', types.bigint),
  field('l1_block_hex', types.string, false),
  field('l1_block_hash', types.string, false),
  field('timestamp', types.timestamp),
]

const blockFields = [
  field('batch_index', types.bigint, false),
  field('block_number', types.bigint),
  field('block_number_hex', types.string, false),
  field('block_hash', types.string, false),
  field('parent_hash', types.string, false),
  field('state_root', types.string, false),
  field('tx_root', types.string, false),
  field('receipt_root', types.string, false),
  field('block_timestamp', types.timestamp),
]

/**
 * The columns of a chain source. 256-bit numbers stand as hex text beside a BIGINT, which is NULL above 2⁶³−1; so is a
 * time beyond the year 294 246.
 */
export const chainSchemas: Readonly<Record<RowForm, Schema>> = {
  batch: schema([
    ...head,
    field('block_count', types.int, false),
    field('blocks', array(struct(blockFields)), false),
    field('data_proof', types.bytes, false),
    field('namespace_id', types.string, false),
    field('commitment', types.string, false),
    field('inclusion_proof', types.bytes, false),
  ]),
  block: schema([...head, ...blockFields]),
}

/** What tells rows apart. */
export const chainKeys: Readonly<Record<RowForm, readonly string[]>> = {
  batch: ['batch_number'],
  block: ['batch_number', 'batch_index'],
}

export const rowCount = (batch: Batch, form: RowForm): number => (form === 'batch' ? 1 : batch.blocks.length)

/** One value by the name of its column. */
export type Cell = (batch: Batch, block: BlockInBatch | undefined) => Value

const long = (number: bigint): ExactInteger | null => (number > INT64_MAX ? null : exact(number))
const micros = (seconds: bigint): ExactInteger | null => long(seconds * 1_000_000n)

const cells: Readonly<Record<string, Cell>> = {
  batch_number: ({ id }) => long(id.number),
  batch_number_hex: ({ id }) => toHex(id.number),
  batch_hash: ({ id }) => id.hash,
  l1_block: ({ l1Origin }) => long(l1Origin),
  l1_block_hex: ({ l1Origin }) => toHex(l1Origin),
  l1_block_hash: ({ l1OriginHash }) => l1OriginHash,
  timestamp: ({ timestamp }) => micros(timestamp),
  block_count: ({ blocks }) => blocks.length,
  blocks: ({ blocks }) => blocks.map((block) => blockFields.map(({ name }) => blockCells[name]!(block))),
  data_proof: ({ proofMeta }) => proofMeta.dataProof,
  namespace_id: ({ proofMeta }) => proofMeta.namespaceId,
  commitment: ({ proofMeta }) => proofMeta.commitment,
  inclusion_proof: ({ proofMeta }) => proofMeta.inclusionProof,
}

const blockCells: Readonly<Record<string, (block: BlockInBatch) => Value>> = {
  batch_index: ({ batchIndex }) => batchIndex,
  block_number: ({ number }) => long(number),
  block_number_hex: ({ number }) => toHex(number),
  block_hash: ({ hash }) => hash,
  parent_hash: ({ parentHash }) => parentHash,
  state_root: ({ stateRoot }) => stateRoot,
  tx_root: ({ txRoot }) => txRoot,
  receipt_root: ({ receiptRoot }) => receiptRoot,
  block_timestamp: ({ timestamp }) => micros(timestamp),
}

/** The cell of a column of `chainSchemas[form]`. */
export function cellOf(name: string, form: RowForm): Cell | undefined {
  if (!chainSchemas[form].fields.some((column) => column.name === name)) return undefined
  const ofBlock = blockCells[name]
  return ofBlock === undefined ? cells[name] : (_, block) => ofBlock(block!)
}

/** The values of a row, all columns. */
export function rowValues(batch: Batch, index: number, form: RowForm): Value[] {
  const block = form === 'block' ? batch.blocks[index] : undefined
  return chainSchemas[form].fields.map(({ name }) => cellOf(name, form)!(batch, block))
}
