import { bytesOfHex } from './numbers.ts'
import { Batch, type BlockInBatch, emptyProof, type ProofMetadata } from './types.ts'

// Batches in the very form that `encodeBatch` writes, which is also what servers of this protocol send: one expression
// for each part checks and takes it apart at once (measured by `npm run bench -- chain-batch`). Whatever
// differs by a byte is left to the parser.
// Written out: a counted repetition is compiled to a loop with a counter, which takes half as long again.
const HASH = `(0x${'[0-9a-f]'.repeat(64)})`
const QUANTITY = '"(0x[0-9a-f]{1,64})"'
/** At most 15 digits: exact as a double. */
const SMALL = '(0|[1-9]\\d{0,14})'

const HEAD = new RegExp(
  `\\{"id":\\{"number":${QUANTITY},"hash":"${HASH}"\\},"l1_origin":${QUANTITY},"l1_origin_hash":"${HASH}","blocks":\\[`,
  'y',
)
const BLOCK = new RegExp(
  `\\{"batch_index":(0|[1-9]\\d{0,8}),"hash":"${HASH}","parent_hash":"${HASH}","state_root":"${HASH}","tx_root":"${HASH}",` +
    `"receipt_root":"${HASH}","number":${QUANTITY},"timestamp":${SMALL}\\}`,
  'y',
)
const PROOF = '],"proof_meta":{"data_proof":"'
const COMMITMENT = new RegExp(`","namespace_id":"(0x[0-9a-f]{16})","commitment":"${HASH}","inclusion_proof":"`, 'y')
const TAIL = new RegExp(`"\\},"timestamp":${SMALL}\\}`, 'y')

const COMMA = 44

/** The batch that begins at `at` and the offset behind it; undefined where the text has another form. */
export function canonicalBatch(text: string, at: number): { readonly batch: Batch; readonly end: number } | undefined {
  const head = match(HEAD, text, at)
  if (head === null) return undefined
  let end = HEAD.lastIndex
  const blocks: BlockInBatch[] = []
  for (let block = match(BLOCK, text, end); block !== null; ) {
    end = BLOCK.lastIndex
    blocks.push(blockOf(block))
    block = text.charCodeAt(end) === COMMA ? match(BLOCK, text, end + 1) : null
  }
  if (!text.startsWith(PROOF, end)) return undefined
  const data = bytesAt(text, end + PROOF.length)
  const middle = data === undefined ? null : match(COMMITMENT, text, data.end)
  if (data === undefined || middle === null) return undefined
  const inclusion = bytesAt(text, COMMITMENT.lastIndex)
  const tail = inclusion === undefined ? null : match(TAIL, text, inclusion.end)
  if (inclusion === undefined || tail === null) return undefined
  const batch = new Batch({
    id: { number: BigInt(head[1]!), hash: head[2]! },
    l1Origin: BigInt(head[3]!),
    l1OriginHash: head[4]!,
    blocks,
    proofMeta: proofOf(data.bytes, middle, inclusion.bytes),
    timestamp: BigInt(Number(tail[1])),
  })
  return { batch, end: TAIL.lastIndex }
}

function match(form: RegExp, text: string, at: number): RegExpExecArray | null {
  form.lastIndex = at
  return form.exec(text)
}

const blockOf = (part: RegExpExecArray): BlockInBatch => ({
  batchIndex: Number(part[1]),
  hash: part[2]!,
  parentHash: part[3]!,
  stateRoot: part[4]!,
  txRoot: part[5]!,
  receiptRoot: part[6]!,
  number: BigInt(part[7]!),
  timestamp: BigInt(Number(part[8])),
})

/** Bytes as hex up to the next quote; they may be many, which an expression would count one by one. */
function bytesAt(text: string, at: number): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  const end = text.indexOf('"', at)
  const bytes = end === at + 2 && text.startsWith('0x', at) ? emptyProof.dataProof : bytesOfHex(text.slice(at, end))
  return bytes === undefined || end < 0 ? undefined : { bytes, end }
}

function proofOf(dataProof: Uint8Array, middle: RegExpExecArray, inclusionProof: Uint8Array): ProofMetadata {
  const isEmpty = dataProof.length + inclusionProof.length === 0 && middle[1] === emptyProof.namespaceId
  if (isEmpty && middle[2] === emptyProof.commitment) return emptyProof
  return { dataProof, namespaceId: middle[1]!, commitment: middle[2]!, inclusionProof }
}

/** All batches of an array; undefined where the text has another form. */
export function canonicalBatches(text: string): Batch[] | undefined {
  if (text.charCodeAt(0) !== 91) return undefined
  const batches: Batch[] = []
  for (let at = 1; ; at++) {
    const found = canonicalBatch(text, at)
    if (found === undefined) return undefined
    batches.push(found.batch)
    at = found.end
    if (text.charCodeAt(at) === COMMA) continue
    return text.charCodeAt(at) === 93 && at + 1 === text.length ? batches : undefined
  }
}
