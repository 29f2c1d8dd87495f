import { dirname, join } from 'node:path'
import { HeadraceError } from '../../../core/errors.ts'
import { inParallel } from '../../../core/in-parallel.ts'
import {
  makeFolder,
  NO_LINKS,
  orAbsent,
  type SystemFiles,
  syncDirectory,
  systemCode,
} from '../../../core/system-files.ts'
import { fileError } from '../client.ts'
import type { StagedFile } from './file-token.ts'

/** System calls in flight at once. */
const IN_FLIGHT = 8

export interface PublishPlace {
  readonly files: SystemFiles
  readonly root: string
  /** Whether names are synced. */
  readonly sync: boolean
  /** Whether the epoch is known to be published: asked where a file has neither of its names. */
  readonly isDone: () => Promise<boolean>
  /** Without hard links a file is renamed: only where nobody else can publish the same files. */
  readonly alone: boolean
}

/**
 * Gives staged files their final names, once, whoever else does the same at the same time or did it before: all are
 * linked, the folders synced, only then the staged names go.
 */
export async function publish(staged: readonly StagedFile[], place: PublishPlace): Promise<void> {
  const { files, root } = place
  const folders = new Set(staged.map(({ final }) => dirname(join(root, final))))
  const unsynced = new Set<string>()
  // Up to the root, also of folders that were there: whoever made them may have died before this.
  for (const folder of folders) for (let at = folder; at.length >= root.length; at = dirname(at)) unsynced.add(at)
  try {
    for (const folder of folders) if (folder !== root) await makeFolder(files, folder, { mode: 0o777, unsynced })
  } catch (error) {
    throw fileError('open', `cannot make a folder in "${root}"`, error)
  }
  await inParallel(staged, IN_FLIGHT, (file) => publishOne(file, place))
  await syncNames(place, unsynced)
  await inParallel(staged, IN_FLIGHT, ({ temp }) => removeStaged(files, join(root, temp)))
  await syncNames(place, new Set([root]))
}

async function syncNames({ files, sync }: PublishPlace, folders: ReadonlySet<string>): Promise<void> {
  if (!sync) return
  await inParallel([...folders], IN_FLIGHT, async (folder) => {
    try {
      await syncDirectory(files, folder)
    } catch (error) {
      throw fileError('open', `cannot sync "${folder}"`, error)
    }
  })
}

async function publishOne(file: StagedFile, place: PublishPlace): Promise<void> {
  const { files, root } = place
  const temp = join(root, file.temp)
  const final = join(root, file.final)
  try {
    const found = await orAbsent(files.facts(temp))
    if (found === undefined) return await mustBePublished(file, place)
    if (found.inode !== file.inode || found.size !== file.length) throw changed(temp)
    await files.link(temp, final)
  } catch (error) {
    if (error instanceof HeadraceError) throw error
    await afterFailedLink(file, place, error)
  }
}

/** The link may have been made all the same, here or by another instance. */
async function afterFailedLink(file: StagedFile, place: PublishPlace, cause: unknown): Promise<void> {
  const { files, root } = place
  const final = join(root, file.final)
  const found = await inodeAt(files, final)
  if (found === file.inode) return
  if (found !== undefined) throw targetTaken(final)
  const code = systemCode(cause) ?? ''
  if (code === 'ENOENT' && (await inodeAt(files, join(root, file.temp))) === undefined) {
    return mustBePublished(file, place)
  }
  if (NO_LINKS.has(code) && place.alone) return rename(file, place)
  if (NO_LINKS.has(code)) throw noLinks(root, cause)
  throw fileError('open', `cannot publish "${final}"`, cause)
}

/** The staged name is gone: the file has its final name, or had it before somebody took it away. */
async function mustBePublished(file: StagedFile, { files, root, isDone }: PublishPlace): Promise<void> {
  const final = join(root, file.final)
  const found = await inodeAt(files, final)
  if (found === file.inode) return
  if (await isDone()) return
  if (found !== undefined) throw targetTaken(final)
  throw new HeadraceError('connector_commit_ambiguous', `"${final}" is neither staged nor published`, {
    hint: 'look whether it was published and taken away; then resolve the epoch as committed or absent',
    details: { staged: join(root, file.temp), final },
  })
}

async function rename(file: StagedFile, { files, root }: PublishPlace): Promise<void> {
  try {
    await files.rename(join(root, file.temp), join(root, file.final))
  } catch (error) {
    throw fileError('open', `cannot publish "${join(root, file.final)}"`, error)
  }
}

async function inodeAt(files: SystemFiles, path: string): Promise<string | undefined> {
  try {
    return (await orAbsent(files.facts(path)))?.inode
  } catch (error) {
    throw fileError('open', `cannot look at "${path}"`, error)
  }
}

/** Takes back what was published by a run whose publishing failed, as far as it can. */
export async function unpublish(staged: readonly StagedFile[], { files, root }: PublishPlace): Promise<void> {
  for (const { final, inode } of staged) {
    const path = join(root, final)
    const found = await orAbsent(files.facts(path)).catch(() => undefined)
    if (found?.inode === inode) await files.unlink(path).catch(() => {})
  }
}

/** Tolerates that it is gone. */
export async function removeStaged(files: SystemFiles, path: string): Promise<void> {
  try {
    await orAbsent(files.unlink(path))
  } catch (error) {
    throw fileError('open', `cannot remove "${path}"`, error)
  }
}

const changed = (temp: string): HeadraceError =>
  new HeadraceError('connector_commit_ambiguous', `the staged file "${temp}" is not what was written`, {
    hint: 'somebody changed it; put it back, or resolve the epoch by hand',
  })

const targetTaken = (final: string): HeadraceError =>
  new HeadraceError('target_exists', `another file has the name "${final}"`, {
    hint: 'move it away and run again',
  })

export const noLinks = (root: string, cause: unknown): HeadraceError =>
  new HeadraceError('delivery_not_provable', `the file system of "${root}" has no hard links`, {
    hint: 'files cannot be published once there: write to another file system',
    cause,
  })
