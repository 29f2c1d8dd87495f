import { statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FileStore } from '../../checkpoint/file-store.ts'
import type { CheckpointStore } from '../../checkpoint/store.ts'
import { HeadraceError } from '../../core/errors.ts'
import { type KeptPipeline, keptPipeline } from './kept-pipelines.ts'

/** Where snapshots are: of a pipeline, or a folder that is named. */
export interface SnapshotPlace {
  readonly name: string
  readonly store: CheckpointStore
  /** Undefined for a folder. */
  readonly kept: KeptPipeline | undefined
}

/** A pipeline's name; a text with a slash, or `file:…`, is a folder that holds `checkpoints/`, or that one itself. */
export function snapshotPlace(dataDir: string, text: string): SnapshotPlace {
  if (!/[/\\]|^file:|^\.{1,2}$/.test(text)) {
    const kept = keptPipeline(dataDir, text)
    return { name: kept.name, store: kept.store, kept }
  }
  const path = text.startsWith('file://') ? fileURLToPath(text) : resolve(text.replace(/^file:/, ''))
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new HeadraceError('checkpoint_no_checkpoint', `there is no folder "${path}"`, {
      hint: 'name a pipeline, or a folder that holds checkpoints/',
    })
  }
  const folder = basename(path) === 'checkpoints' ? dirname(path) : path
  return { name: folder, store: new FileStore(folder), kept: undefined }
}
