import { jsonState } from '../../checkpoint/meta.ts'
import { decodeName } from '../../runtime/graph/stage.ts'
import type { StoredSnapshot } from './stored-snapshots.ts'

/** A snapshot in a list, as JSON. */
export interface SnapshotLine {
  readonly id: string
  readonly epoch: string | null
  readonly created_at: string | null
  readonly bytes: number
  readonly done: boolean
  readonly reason: string | null
  /** Of a claim: the snapshot that it goes on from. */
  readonly base: string | null
  readonly fault: string | null
}

export function snapshotLine({ id, bytes, done, checkpoint, meta, fault }: StoredSnapshot): SnapshotLine {
  return {
    id: String(id),
    epoch: checkpoint === undefined ? null : String(checkpoint.epoch),
    created_at: checkpoint === undefined ? null : new Date(Number(checkpoint.createdAt)).toISOString(),
    bytes,
    done,
    reason: meta?.reason ?? null,
    base: meta?.base ?? null,
    fault: fault ?? null,
  }
}

/** All that a snapshot says, as JSON. */
export interface SnapshotFacts extends SnapshotLine {
  readonly meta: unknown
  readonly sources: readonly {
    readonly id: string
    /** As the script names it; the id where an older version wrote it. */
    readonly name: string
    readonly uri: string | null
    readonly rows: string
    readonly watermark: string | null
    readonly incarnation: string | null
    readonly ended: boolean
    readonly splits: readonly {
      readonly split: string
      readonly offset: string | null
      readonly rows: number
      readonly finished: boolean
    }[]
    readonly state_bytes: number
  }[]
  readonly sinks: readonly {
    readonly name: string
    readonly uri: string | null
    readonly rows: string
    readonly token_bytes: number
  }[]
  readonly operators: readonly { readonly id: string; readonly bytes: number }[]
  readonly other: readonly { readonly key: string; readonly bytes: number }[]
}

interface Offsets {
  readonly incarnation?: string
  readonly splits?: Readonly<Record<string, string>>
  readonly rows?: Readonly<Record<string, number>>
  readonly finished?: readonly string[]
  readonly ended?: boolean
}

const UNSET = -(2n ** 63n)

export function snapshotFacts(stored: StoredSnapshot): SnapshotFacts {
  const { checkpoint, meta } = stored
  if (checkpoint === undefined) {
    return { ...snapshotLine(stored), meta: null, sources: [], sinks: [], operators: [], other: [] }
  }
  const keys = [...checkpoint.operatorStates.keys()]
  const under = (kind: string, rest: RegExp): readonly (readonly [string, string])[] =>
    keys.flatMap((key) => {
      const match = new RegExp(`^${kind}/([^/]+)/${rest.source}$`).exec(key)
      return match === null ? [] : [[decodeName(match[1]!), key] as const]
    })
  const bytesOf = (key: string): number => checkpoint.operatorStates.get(key)?.length ?? 0
  const sources = under('source', /offsets/).map(([id, key]) => {
    const offsets = jsonState<Offsets>(checkpoint, key) ?? {}
    const watermark = checkpoint.watermarks.get(id)
    return {
      id,
      name: meta?.source_names?.[id]?.name ?? id,
      uri: meta?.source_names?.[id]?.uri ?? null,
      rows: String(checkpoint.sourceSequences.get(id) ?? 0n),
      watermark: watermark === undefined || watermark === UNSET ? null : instant(watermark),
      incarnation: offsets.incarnation ?? null,
      ended: offsets.ended ?? false,
      splits: Object.entries(offsets.rows ?? {}).map(([split, rows]) => ({
        split,
        offset: offsets.splits?.[split] ?? null,
        rows,
        finished: offsets.finished?.includes(split) === true,
      })),
      state_bytes: bytesOf(key.replace(/offsets$/, 'state')),
    }
  })
  const sinks = under('sink', /prepared\/0/).map(([name, key]) => ({
    name,
    uri: meta?.sink_uris?.[name] ?? null,
    rows: String(checkpoint.sinkPositions.get(name) ?? 0n),
    token_bytes: bytesOf(key),
  }))
  return {
    ...snapshotLine(stored),
    meta: meta ?? null,
    sources,
    sinks,
    operators: under('op', /[^/]+/).map(([id, key]) => ({ id, bytes: bytesOf(key) })),
    other: keys.filter((key) => !/^(source|sink|op)\//.test(key)).map((key) => ({ key, bytes: bytesOf(key) })),
  }
}

const instant = (micros: bigint): string => new Date(Number(micros / 1000n)).toISOString()
