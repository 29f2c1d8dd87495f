import { shortHash } from '../../../core/short-hash.ts'

/** Who writes: the same in every run of one plan. */
export interface OutputOwner {
  readonly pipeline: string
  /** Name of the sink in its pipeline; letters, digits, `_`. */
  readonly part: string
  readonly writer: number
}

const NAME_BYTES_MAX = 80

/** A pipeline's name as a part of file names. */
export function pipelinePart(pipeline: string): string {
  const safe = pipeline.replace(/[/%\u0000-\u001f\u007f]/g, (c) => encodeURIComponent(c))
  if (Buffer.byteLength(safe) <= NAME_BYTES_MAX) return safe
  return `${Buffer.from(safe)
    .toString('latin1', 0, 40)
    .replace(/[^\w.-]/g, '_')}_${shortHash(pipeline)}`
}

const ownerPrefix = ({ pipeline, part }: OutputOwner): string => `.headrace-${pipelinePart(pipeline)}-${part}`

export const ledgerName = (owner: OutputOwner): string => `${ownerPrefix(owner)}.ledger`
export const lockName = (owner: OutputOwner): string => `${ownerPrefix(owner)}.lock`

/** A name that no reader sees (rulings 13). `n` counts; `list` holds a long token, `ledger` is a ledger to be. */
export const stagedName = (
  owner: OutputOwner,
  { incarnation, epoch, n }: { readonly incarnation: bigint; readonly epoch: bigint; readonly n: number | string },
): string => `${ownerPrefix(owner)}-${owner.writer}-${incarnation}-${epoch}-${n}`

export interface StagedName {
  readonly writer: number
  readonly incarnation: bigint
  readonly epoch: bigint
}

/** What a name of this pipeline and sink tells; undefined for every other name. */
export function parseStaged(owner: OutputOwner, name: string): StagedName | undefined {
  const prefix = `${ownerPrefix(owner)}-`
  if (!name.startsWith(prefix)) return undefined
  const match = /^(\d+)-(\d+)-(\d+)-(?:\d+|list|ledger)$/.exec(name.slice(prefix.length))
  if (match === null) return undefined
  return { writer: Number(match[1]), incarnation: BigInt(match[2]!), epoch: BigInt(match[3]!) }
}

/** Name of a published file (rulings 8). */
export const finalName = (
  owner: OutputOwner,
  form: {
    readonly name: string
    readonly lineage: string
    readonly epoch: bigint
    readonly n: number
    readonly extension: string
  },
): string =>
  `${form.name}-${pipelinePart(owner.pipeline)}-${form.lineage}-${owner.writer}-${form.epoch}-${form.n}.${form.extension}`

/**
 * The lineage of a file that a pipeline published; undefined for every other name. `name`: only files of that name;
 * names hold no "-", so no file of another pipeline looks like one of this.
 */
export function lineageOfFinal(pipeline: string, file: string, name?: string): string | undefined {
  const dash = file.indexOf('-')
  if (dash < 0 || (name !== undefined && file.slice(0, dash) !== name)) return undefined
  const rest = file.slice(dash + 1)
  const prefix = `${pipelinePart(pipeline)}-`
  if (!rest.startsWith(prefix)) return undefined
  return /^([0-9a-f]{8})-\d+-\d+-\d+\.[a-z0-9.]+$/.exec(rest.slice(prefix.length))?.[1]
}
