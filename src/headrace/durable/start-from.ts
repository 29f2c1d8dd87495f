import { type CheckpointMeta, META_KEY, metaOf } from '../../checkpoint/meta.ts'
import type { Snapshots } from '../../checkpoint/snapshots.ts'
import { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import { HeadraceError } from '../../core/errors.ts'
import { orAbsent, systemFiles } from '../../core/system-files.ts'
import { findSavepoint, savepointNames } from './savepoints.ts'

/** A snapshot that a user wants to start from. */
export interface StartFrom {
  /** As messages name it. */
  readonly name: string
  readonly checkpoint: StreamCheckpoint
  readonly meta: CheckpointMeta
}

/** Finds what `--from` names: the id of a checkpoint, a savepoint, or the path of a snapshot. */
export async function startFrom(
  text: string,
  of: { readonly pipeline: string; readonly folder: string | undefined; readonly snapshots: Snapshots },
): Promise<StartFrom> {
  const { name, bytes } = await find(text, of)
  const checkpoint = StreamCheckpoint.fromBytes(bytes, name)
  const meta = metaOf(checkpoint)
  if (meta.pipeline !== of.pipeline) {
    throw new HeadraceError('pipeline_name_taken', `${name} belongs to the pipeline "${meta.pipeline}"`, {
      hint: `start that one, or give this one its name: -- @name ${meta.pipeline}`,
    })
  }
  if (meta.reason === 'claim') {
    throw new HeadraceError('checkpoint_no_checkpoint', `${name} only notes a start and holds no state`, {
      hint: 'headrace checkpoint list tells which do',
    })
  }
  return { name, checkpoint, meta }
}

async function find(
  text: string,
  { folder, snapshots }: { readonly folder: string | undefined; readonly snapshots: Snapshots },
): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  if (/^\d{1,20}$/.test(text)) {
    const bytes = await snapshots.read(BigInt(text))
    if (bytes !== undefined) return { name: `checkpoint ${text}`, bytes }
  } else {
    const savepoint = folder === undefined ? undefined : await findSavepoint(folder, text)
    if (savepoint !== undefined) return { name: `savepoint "${text}"`, bytes: savepoint }
    const bytes = await orAbsent(systemFiles.read(text.replace(/^file:(\/\/)?/, '')))
    if (bytes !== undefined) return { name: `"${text}"`, bytes }
  }
  const names = folder === undefined ? [] : await savepointNames(folder)
  throw new HeadraceError(
    'checkpoint_no_checkpoint',
    `--from ${text}: there is no such savepoint, checkpoint or file`,
    { hint: names.length === 0 ? 'headrace checkpoint list tells the ids' : `savepoints: ${names.join(', ')}` },
  )
}

const isOfSink = (key: string): boolean => key.startsWith('sink/')

/**
 * Operator state, offsets and counters of one snapshot, and what the sinks have been promised by the newest one: the
 * contents of a snapshot of the newest one's epoch.
 */
export function graft(
  from: StreamCheckpoint,
  newest: StreamCheckpoint | undefined,
  meta: Uint8Array,
): Pick<StreamCheckpoint, 'sourceSequences' | 'sinkPositions' | 'watermarks' | 'operatorStates'> {
  const { sourceSequences, sinkPositions, watermarks } = from
  const operatorStates = new Map<string, Uint8Array>()
  for (const [key, state] of from.operatorStates) if (!isOfSink(key)) operatorStates.set(key, state)
  for (const [key, state] of newest?.operatorStates ?? []) if (isOfSink(key)) operatorStates.set(key, state)
  operatorStates.set(META_KEY, meta)
  return { sourceSequences, sinkPositions, watermarks, operatorStates }
}
