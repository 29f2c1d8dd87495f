import { systemClock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { resolveBlocked, rowsOf } from '../../headrace/durable/resolution.ts'
import { refuseRunning } from '../../headrace/operate/control.ts'
import { keptPipeline } from '../../headrace/operate/kept-pipelines.ts'
import { seek } from '../../headrace/operate/seek.ts'
import type { CommandContext } from '../command.ts'
import type { DataDirOption } from '../data-dir.ts'
import { dataDirOf } from './places.ts'

export interface SeekOptions extends DataDirOption {
  readonly source: string
  readonly split: string
  readonly to: string
  readonly keepState?: boolean
  readonly dropState?: boolean
}

export async function seekTo(name: string, options: SeekOptions, { io, json }: CommandContext): Promise<void> {
  const { dataDir, source, split, to, keepState = false, dropState = false } = options
  if (keepState && dropState) {
    throw new HeadraceError('cli_usage', '--keep-state and --drop-state exclude each other', { hint: 'give one' })
  }
  const state = keepState ? 'keep' : dropState ? 'drop' : undefined
  const done = await seek(keptPipeline(dataDirOf(dataDir), name), { source, split, to, state }, systemClock)
  if (json) {
    io.out(`${JSON.stringify({ pipeline: name, ...done })}\n`)
    return
  }
  const fate = done.state === 'none' ? '' : `; the state of its operators is ${done.state}`
  io.out(`${name}: ${done.source}, ${split}: ${done.from ?? 'not begun'} → ${to} (checkpoint ${done.id})${fate}\n`)
}

export interface ResolveOptions extends DataDirOption {
  readonly epoch: number
  readonly as: 'committed' | 'absent'
}

export async function resolve(name: string, options: ResolveOptions, { io, json }: CommandContext): Promise<void> {
  const { dataDir, epoch, as } = options
  const kept = keptPipeline(dataDirOf(dataDir), name)
  refuseRunning(kept, 'resolving', systemClock)
  const said = await resolveBlocked(kept.folder, { pipeline: name, epoch: BigInt(epoch), as })
  if (json) {
    io.out(`${JSON.stringify({ pipeline: name, ...said })}\n`)
    return
  }
  const rows = rowsOf(said)
  io.out(
    as === 'absent'
      ? `${name}: the next start reads and writes the ${rows} again\n`
      : `${name}: the ${rows} are taken as written. The next start still reads from epoch ${said.epoch}: move its sources ` +
          `behind them first, or they are written twice: headrace pipelines seek ${name}\n`,
  )
}
