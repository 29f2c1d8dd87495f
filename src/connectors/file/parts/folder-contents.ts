import { type Dirent, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HeadraceError } from '../../../core/errors.ts'
import { type SystemFiles, systemCode } from '../../../core/system-files.ts'
import { fileError } from '../client.ts'
import { removeStaged } from './publish.ts'
import { lineageOfFinal, type OutputOwner, parseStaged, type StagedName } from './staged-names.ts'

/** Files below `root` that this pipeline published under another lineage; `name`: only those of that name. */
export function* foreignFinals(
  root: string,
  who: { readonly pipeline: string; readonly lineage: string; readonly name?: string },
): Generator<string> {
  let entries: Dirent[]
  try {
    entries = readdirSync(root, { withFileTypes: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw fileError('open', `cannot list "${root}"`, error)
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue
    const path = join(root, entry.name)
    if (entry.isDirectory()) yield* foreignFinals(path, who)
    else if (entry.isFile()) {
      const lineage = lineageOfFinal(who.pipeline, entry.name, who.name)
      if (lineage !== undefined && lineage !== who.lineage) yield path
    }
  }
}

/** `write_mode = 'create'`: files of another lineage are neither joined nor replaced. */
export function refuseForeign(root: string, who: { readonly pipeline: string; readonly lineage: string }): void {
  for (const path of foreignFinals(root, who)) {
    throw new HeadraceError('target_exists', `"${root}" holds files of an earlier run of "${who.pipeline}"`, {
      hint: "write_mode = 'append' adds to them, write_mode = 'overwrite' replaces them; run --continue reads what came since",
      details: { file: path },
    })
  }
}

/** The folders that hold files. */
export function foldersOf(paths: Iterable<string>): Set<string> {
  return new Set([...paths].map((path) => dirname(path)))
}

/** Removes what this pipeline and sink has staged in `root` and `goes` tells to go. */
export async function sweepStaged(
  files: SystemFiles,
  root: string,
  { owner, goes }: { readonly owner: OutputOwner; readonly goes: (staged: StagedName, name: string) => boolean },
): Promise<void> {
  let names: readonly string[]
  try {
    names = await files.readdir(root)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw fileError('open', `cannot list "${root}"`, error)
  }
  for (const name of names) {
    const staged = parseStaged(owner, name)
    if (staged === undefined || !goes(staged, name)) continue
    await removeStaged(files, join(root, name))
  }
}
