/** 20 digits hold every u64, and names sort like ids. */
const digits = (id: bigint): string => String(id).padStart(20, '0')

export type Suffix = 'ckpt' | 'done' | 'damaged' | 'claim'

export const suffixes: readonly Suffix[] = ['ckpt', 'done', 'damaged', 'claim']

export const fileName = (id: bigint, suffix: Suffix): string => `${digits(id)}.${suffix}`

/** Id and suffix of a final name; undefined for every other name. */
export function parseFileName(name: string): { readonly id: bigint; readonly suffix: Suffix } | undefined {
  const match = /^(\d{20})\.(ckpt|done|damaged|claim)$/.exec(name)
  return match === null ? undefined : { id: BigInt(match[1]!), suffix: match[2] as Suffix }
}

export const LATEST = 'LATEST'

/** A name that no id is read from, unique by its random part. */
export const tempName = (id: bigint, incarnation: bigint, random: string): string =>
  `.tmp-${digits(id)}-${incarnation}-${random}`

/** The incarnation whose writer made a temporary name; undefined for every other name. */
export function incarnationOfTemp(name: string): bigint | undefined {
  const match = /^\.tmp-\d{20}-(\d{1,20})-\w+$/.exec(name)
  return match === null ? undefined : BigInt(match[1]!)
}
