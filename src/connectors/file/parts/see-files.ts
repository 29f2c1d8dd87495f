import { type BigIntStats, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import picomatch from 'picomatch'
import { HeadraceError } from '../../../core/errors.ts'
import type { FileOptions } from '../options.ts'
import { fileKey } from './identity.ts'
import { directoriesOf, findFiles } from './list-files.ts'
import { statOrNothing } from './stat-file.ts'

/** A file as a look found it. */
export interface Seen {
  readonly path: string
  readonly stat: BigIntStats
  /** The path of the source names it; else it is only looked at because files are renamed to such names. */
  readonly isListed: boolean
}

/**
 * All files that the source's path and `rotation_pattern` name, by device and inode: a file with several names is seen
 * once. What was renamed away comes first, oldest first.
 */
export function seeFiles(
  source: { readonly path: string; readonly literal: boolean },
  options: FileOptions,
  known: ReadonlyMap<string, { readonly at: string | undefined }>,
): { readonly seen: ReadonlyMap<string, Seen>; readonly directories: ReadonlySet<string> } {
  const listed = filesNow(source, options)
  const directories = directoriesOf(source.path, listed, source.literal)
  const seen = new Map<string, Seen>()
  const add = (path: string, isListed: boolean): void => {
    const stat = statOrNothing(path)
    if (stat === undefined || !stat.isFile()) return
    const key = fileKey(stat)
    const before = seen.get(key)
    // The name that it had stays its name.
    if (before === undefined || (isListed && known.get(key)?.at === path)) seen.set(key, { path, stat, isListed })
  }
  const rotated = rotatedFiles(directories, options.rotation_pattern, new Set(listed))
  for (const path of listed) add(path, true)
  if (rotated.length === 0) return { seen, directories }
  for (const path of rotated) add(path, false)
  const byAge = [...seen].sort(([, a], [, b]) =>
    a.isListed !== b.isListed ? Number(a.isListed) - Number(b.isListed) : a.isListed ? 0 : compare(a.stat, b.stat),
  )
  return { seen: new Map(byAge), directories }
}

const compare = (a: BigIntStats, b: BigIntStats): number => (a.mtimeNs < b.mtimeNs ? -1 : a.mtimeNs > b.mtimeNs ? 1 : 0)

function filesNow(source: { readonly path: string; readonly literal: boolean }, options: FileOptions): string[] {
  if (source.literal) return [source.path]
  try {
    return findFiles(source.path, options)
  } catch (error) {
    if (error instanceof HeadraceError && error.code === 'connector_not_found') return []
    throw error
  }
}

function rotatedFiles(
  directories: ReadonlySet<string>,
  pattern: string | undefined,
  listed: ReadonlySet<string>,
): string[] {
  if (pattern === undefined) return []
  const matches = picomatch(basename(pattern))
  const found: string[] = []
  for (const directory of directories) {
    let names: string[]
    try {
      names = readdirSync(directory)
    } catch {
      continue
    }
    for (const name of names) {
      const path = join(directory, name)
      if (!name.startsWith('.headrace-') && matches(name) && !listed.has(path)) found.push(path)
    }
  }
  return found
}
