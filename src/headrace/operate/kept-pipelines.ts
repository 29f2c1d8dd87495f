import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FileStore } from '../../checkpoint/file-store.ts'
import type { CheckpointStore } from '../../checkpoint/store.ts'
import { HeadraceError } from '../../core/errors.ts'
import { didYouMean } from '../../core/suggest.ts'
import { folderOf, readFacts } from '../durable/state-folder.ts'

/** A pipeline that has a state folder, running or not. */
export interface KeptPipeline {
  readonly name: string
  readonly folder: string
  /** Absolute path of its script; null for a named text. */
  readonly script: string | null
  /** Where its snapshots are: the folder that holds `checkpoints/`. */
  readonly storeFolder: string
  readonly store: CheckpointStore
}

function keptIn(folder: string): KeptPipeline | undefined {
  const facts = readFacts(folder)
  if (facts === undefined) return undefined
  const storeFolder = facts.store ?? folder
  return { name: facts.name, folder, script: facts.script, storeFolder, store: new FileStore(storeFolder) }
}

/** All pipelines of a data directory, by name. */
export function keptPipelines(dataDir: string): readonly KeptPipeline[] {
  const root = join(dataDir, 'pipelines')
  if (!existsSync(root)) return []
  const found = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => keptIn(join(root, entry.name)) ?? [])
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The pipeline of a name; throws with the nearest names when there is none. */
export function keptPipeline(dataDir: string, name: string): KeptPipeline {
  const found = keptIn(folderOf(dataDir, name))
  if (found !== undefined) return found
  const names = keptPipelines(dataDir).map((kept) => kept.name)
  const hint =
    didYouMean(name, names) ??
    (names.length === 0
      ? 'nothing is kept there: give the data directory of the pipeline with --data-dir'
      : 'headrace pipelines list shows all of them')
  throw new HeadraceError('pipeline_not_found', `there is no pipeline "${name}" in "${dataDir}"`, { hint })
}
