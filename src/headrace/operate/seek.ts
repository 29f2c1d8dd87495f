import { type Choice, chooseCheckpoint } from '../../checkpoint/choice.ts'
import { encodeCheckpoint } from '../../checkpoint/encode.ts'
import { type CheckpointMeta, encodeJson, encodeMeta, jsonState, META_KEY } from '../../checkpoint/meta.ts'
import type { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { didYouMean } from '../../core/suggest.ts'
import { offsetsKey, type SavedOffsets } from '../../runtime/delivery/cut.ts'
import { stateFacts } from '../../runtime/graph/stage.ts'
import { refuseRunning } from './control.ts'
import type { KeptPipeline } from './kept-pipelines.ts'

export interface Seek {
  /** A source's name, URI or id. */
  readonly source: string
  readonly split: string
  /** An offset as the source writes it, or `earliest`. */
  readonly to: string
  /** What becomes of the state of operators; undefined: nobody has said. */
  readonly state: 'keep' | 'drop' | undefined
}

export interface Sought {
  readonly id: string
  readonly epoch: string
  readonly source: string
  readonly split: string
  readonly from: string | null
  readonly to: string
  readonly state: 'kept' | 'dropped' | 'none'
}

/**
 * Moves one split of a pipeline that does not run: a new snapshot of the same epoch, with the same tokens of the sinks,
 * in which the split goes on elsewhere.
 */
export async function seek(kept: KeptPipeline, to: Seek, clock: Clock): Promise<Sought> {
  refuseRunning(kept, 'seeking', clock)
  const choice = await chooseCheckpoint(kept.store, kept.name)
  const { checkpoint, meta } = choice
  if (checkpoint === undefined || meta === undefined) {
    throw new HeadraceError('checkpoint_no_checkpoint', `"${kept.name}" has no checkpoint yet`, {
      hint: 'it starts at the beginning anyway',
    })
  }
  if (meta.completed === true) {
    throw new HeadraceError('pipeline_refused', `"${kept.name}" is complete: its next run reads everything anew`, {
      hint: 'there is nothing to move',
    })
  }
  const source = sourceOf(meta, to.source)
  const offsets = jsonState<SavedOffsets>(checkpoint, offsetsKey(source))
  if (offsets?.rows[to.split] === undefined) throw unknownSplit(to, offsets)
  const state = fateOfState(kept.name, checkpoint, to.state)
  const operatorStates = new Map(checkpoint.operatorStates)
  if (state !== 'kept') for (const key of operatorStates.keys()) if (isOfOperator(key)) operatorStates.delete(key)
  operatorStates.set(offsetsKey(source), encodeJson(moved(offsets, to)))
  operatorStates.set(META_KEY, encodeMeta(metaOf(choice, meta)))
  const watermarks = state === 'dropped' ? new Map<string, bigint>() : checkpoint.watermarks
  await store(kept, choice, { checkpoint, operatorStates, watermarks, clock })
  return {
    id: String(choice.highest + 1n),
    epoch: String(checkpoint.epoch),
    source: meta.source_names?.[source]?.name ?? source,
    split: to.split,
    from: offsets.splits[to.split] ?? null,
    to: to.to,
    state,
  }
}

const isOfOperator = (key: string): boolean => key.startsWith('op/')

function sourceOf({ sources, source_names: names }: CheckpointMeta, given: string): string {
  const found = sources.filter((id) => id === given || names?.[id]?.name === given || names?.[id]?.uri === given)
  if (found.length === 1) return found[0]!
  const known = sources.map((id) => names?.[id]?.name ?? id)
  throw new HeadraceError('cli_usage', `--source ${given}: the checkpoint has ${found.length} such sources`, {
    hint: didYouMean(given, known) ?? `it has: ${known.join(', ')}; ids: ${sources.join(', ')}`,
  })
}

function unknownSplit({ split }: Seek, offsets: SavedOffsets | undefined): HeadraceError {
  const known = Object.keys(offsets?.rows ?? {})
  return new HeadraceError('cli_usage', `--split ${split}: the source has no such split`, {
    hint: didYouMean(split, known) ?? (known.length === 0 ? 'none was begun' : `it has: ${known.join(', ')}`),
  })
}

/** `none`: no operator keeps anything, whatever was said. */
function fateOfState(pipeline: string, { operatorStates }: StreamCheckpoint, said: Seek['state']): Sought['state'] {
  const stages = [...operatorStates].filter(([key]) => isOfOperator(key)).map(([key, bytes]) => stateFacts(key, bytes))
  if (!stages.some(({ keeps }) => keeps)) return 'none'
  if (said === 'drop') return 'dropped'
  if (said === undefined) {
    throw new HeadraceError('cli_usage', `operators of "${pipeline}" hold state of rows that were read`, {
      hint: '--drop-state forgets it (open windows, watermarks), --keep-state goes on with it (rows may count twice, or be late)',
    })
  }
  if (stages.some(({ ended }) => ended)) {
    throw new HeadraceError('cli_usage', `operators of "${pipeline}" have ended: they take no more rows`, {
      hint: 'use --drop-state',
    })
  }
  return 'kept'
}

function moved(offsets: SavedOffsets, { split, to }: Seek): SavedOffsets {
  const { [split]: _, ...splits } = offsets.splits
  const { [split]: __, ...watermarks } = offsets.watermarks
  const isEarliest = to === 'earliest'
  return {
    ...offsets,
    splits: isEarliest ? splits : { ...splits, [split]: to },
    rows: { ...offsets.rows, ...(isEarliest ? { [split]: 0 } : {}) },
    watermarks,
    finished: offsets.finished.filter((one) => one !== split),
    ended: false,
  }
}

/** As of the newest claim, so that the next one goes on from it. */
const metaOf = ({ incarnation, lineage }: Choice, meta: CheckpointMeta): CheckpointMeta => ({
  ...meta,
  incarnation: String(incarnation),
  lineage: lineage ?? meta.lineage,
  reason: 'stop',
})

async function store(
  { store: snapshots }: KeptPipeline,
  { highest, incarnation, done }: Choice,
  of: {
    readonly checkpoint: StreamCheckpoint
    readonly operatorStates: ReadonlyMap<string, Uint8Array>
    readonly watermarks: ReadonlyMap<string, bigint>
    readonly clock: Clock
  },
): Promise<void> {
  const { checkpoint, operatorStates, watermarks, clock } = of
  const id = highest + 1n
  const { epoch, sourceSequences, sinkPositions } = checkpoint
  const createdAt = BigInt(Math.floor(clock.nowMicros() / 1000))
  const form = { id, epoch, createdAt, sourceSequences, sinkPositions, watermarks, operatorStates }
  // Whoever starts the pipeline meanwhile has taken the id: then nothing is changed.
  const owner = { incarnation, after: highest }
  await snapshots.create(id, encodeCheckpoint(form), owner)
  await snapshots.setLatest(id, owner)
  if (done) await snapshots.markDone(id)
}
