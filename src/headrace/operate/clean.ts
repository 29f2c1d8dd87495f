import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { chooseCheckpoint } from '../../checkpoint/choice.ts'
import { pathOf } from '../../connectors/file/parts/list-files.ts'
import { parseStaged } from '../../connectors/file/parts/staged-names.ts'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { parseUri, pathUri, schemeOf } from '../../core/uri.ts'
import { savepointNames } from '../durable/savepoints.ts'
import { refuseRunning } from './control.ts'
import type { KeptPipeline } from './kept-pipelines.ts'

/** What `clean` deletes of a pipeline, or would. */
export interface Cleaning {
  readonly pipeline: string
  readonly items: readonly {
    readonly path: string
    readonly kind: 'state' | 'snapshots' | 'staged'
    readonly bytes: number
  }[]
  /** What is lost with it and cannot be had again. */
  readonly losses: readonly string[]
}

/** What there is of a pipeline that does not run: its state, and what its sinks staged and nobody will publish. */
export async function cleaningOf(kept: KeptPipeline, workingDirectory: string, clock: Clock): Promise<Cleaning> {
  refuseRunning(kept, 'cleaning', clock)
  const { name, folder, storeFolder } = kept
  const savepoints = await savepointNames(folder)
  const choice = await chooseCheckpoint(kept.store, name).catch((error: unknown) => {
    if (error instanceof HeadraceError) return undefined
    throw error
  })
  const base = kept.script === null ? workingDirectory : dirname(kept.script)
  const staged = Object.entries(choice?.meta?.sink_uris ?? {}).flatMap(([part, uri]) => stagedOf(name, part, uri, base))
  const snapshots = join(storeFolder, 'checkpoints')
  return {
    pipeline: name,
    items: [
      { path: folder, kind: 'state', bytes: sizeOf(folder) },
      ...(storeFolder === folder ? [] : [{ path: snapshots, kind: 'snapshots' as const, bytes: sizeOf(snapshots) }]),
      ...staged.map((path) => ({ path, kind: 'staged' as const, bytes: sizeOf(path) })),
    ],
    losses: [
      ...(savepoints.length === 0 ? [] : [`savepoints ${savepoints.join(', ')}`]),
      ...(choice?.checkpoint === undefined || choice.done
        ? []
        : [`rows of epoch ${choice.checkpoint.epoch}, which is not committed everywhere`]),
    ],
  }
}

export function clean({ items }: Cleaning): void {
  // The state last: without it nobody could tell whose the staged files are.
  for (const { path } of items.toReversed()) rmSync(path, { recursive: true, force: true })
}

/** Staged files of one file sink; they lie in the root of its target. */
function stagedOf(pipeline: string, part: string, text: string, baseDirectory: string): readonly string[] {
  const scheme = schemeOf(text)
  if (scheme !== undefined && scheme !== 'file') return []
  const uri = scheme === undefined ? pathUri(text) : parseUri(text)
  const path = pathOf(uri, baseDirectory)
  const owner = { pipeline, part, writer: 0 }
  return [...new Set([path, dirname(path)])].flatMap((root) =>
    namesOf(root)
      .filter((name) => parseStaged(owner, name) !== undefined)
      .map((name) => join(root, name)),
  )
}

function namesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // It is no folder, or is not there.
    return []
  }
}

function sizeOf(path: string): number {
  const facts = lstatSync(path, { throwIfNoEntry: false })
  if (facts === undefined) return 0
  if (!facts.isDirectory()) return facts.size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}
