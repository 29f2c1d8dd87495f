import { statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../core/clock.ts'
import { BEAT_MS, mayLive, type Owner, readOwner } from '../durable/owner.ts'
import type { KeptPipeline } from './kept-pipelines.ts'

/** Without a heartbeat for so long an owner on another machine is taken for gone. */
const SILENT_MS = 5 * BEAT_MS

/** Who runs a pipeline, as far as can be told without watching its heartbeat. */
export function liveOwner({ folder }: Pick<KeptPipeline, 'folder'>, clock: Clock): Owner | undefined {
  const owner = readOwner(folder)
  if (owner === undefined || !mayLive(owner)) return undefined
  if (owner.host === hostname()) return owner
  const beat = statSync(join(folder, 'owner.json'), { throwIfNoEntry: false })
  return beat !== undefined && clock.nowMicros() / 1000 - beat.mtimeMs < SILENT_MS ? owner : undefined
}
