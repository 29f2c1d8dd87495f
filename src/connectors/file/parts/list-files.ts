import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import picomatch from 'picomatch'
import { HeadraceError } from '../../../core/errors.ts'
import type { Uri } from '../../../core/uri.ts'
import { fileError, statOf } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { naturalOrder } from './natural-order.ts'
import { statOrNothing } from './stat-file.ts'

/** The path a URI names: absolute, globs kept. */
export function pathOf(uri: Uri, baseDirectory: string): string {
  const path = uri.path.join('/')
  return uri.absolute ? `/${path}` : resolve(baseDirectory, path)
}

const GLOB = /[*?[\]{}]/

export const hasGlob = (path: string): boolean => GLOB.test(path)

export type ListOptions = Pick<FileOptions, 'recursive' | 'exclude' | 'extension'>

/**
 * The files that a path names, in natural order: a file itself, the files of a directory, or what a glob matches.
 * Names that begin with `.headrace-` are skipped everywhere (rulings 13). A path without a match is
 * `connector_not_found`.
 */
export function listFiles(path: string, options: ListOptions): string[] {
  if (isLiteral(path) && !isDirectory(path)) return [path]
  const found = findFiles(path, options)
  if (found.length > 0) return found
  throw new HeadraceError('connector_not_found', `no file matches "${path}"`, {
    hint: /\?[a-z_.]+=/.test(path)
      ? 'in a bare path "?" is part of a glob; a URI has options: file:data.csv?delimiter=;'
      : 'check the path; relative paths start at the folder of the script',
  })
}

/** Like `listFiles`, but what is not there is nothing. */
export function findFiles(path: string, options: ListOptions): string[] {
  let found: string[]
  if (isLiteral(path)) {
    const stat = statOrNothing(path)
    if (stat === undefined || !stat.isDirectory()) return stat?.isFile() === true ? [path] : []
    found = walk(path, options.recursive, (relative) => !relative.split('/').some((part) => part.startsWith('.')))
  } else {
    const { base, glob } = splitGlob(path)
    const matches = picomatch(glob, { dot: false })
    found = walk(base, glob.includes('/') || glob.includes('**'), (relative) => matches(relative))
  }
  const excluded = options.exclude === undefined ? undefined : picomatch(options.exclude)
  const extension = options.extension?.replace(/^\.?/, '.')
  return found
    .filter(
      (file) =>
        (extension === undefined || file.endsWith(extension)) &&
        !(excluded?.(file) ?? false) &&
        !(excluded?.(file.slice(file.lastIndexOf('/') + 1)) ?? false),
    )
    .sort(naturalOrder)
}

/** The directories that changes of such files show in. `literal`: the path is the name of one file. */
export function directoriesOf(path: string, files: readonly string[], literal: boolean): Set<string> {
  const base = literal ? dirname(path) : isLiteral(path) ? path : splitGlob(path).base
  return new Set([base, ...files.map(dirname)])
}

/** Directory before the first segment with a glob, and the rest. */
function splitGlob(path: string): { base: string; glob: string } {
  const segments = path.split('/')
  const first = segments.findIndex((segment) => GLOB.test(segment))
  return { base: segments.slice(0, first).join('/') || '/', glob: segments.slice(first).join('/') }
}

/** Whether a path is the name of a file: such a name may look like a glob. */
export const isLiteral = (path: string): boolean => !hasGlob(path) || isFile(path)

const isFile = (path: string): boolean => statOf(path, 'read')?.isFile() === true

function isDirectory(path: string): boolean {
  const stat = statOf(path, 'read')
  if (stat === undefined) throw fileError('connector_not_found', `cannot read "${path}"`, { code: 'ENOENT' })
  return stat.isDirectory()
}

function walk(base: string, deep: boolean, accept: (relative: string) => boolean): string[] {
  const files: string[] = []
  // A link to a directory above would give every file again and again.
  const above: string[] = []
  const visit = (directory: string, relative: string): void => {
    let entries: Dirent[]
    let real: string
    try {
      real = realpathSync(directory)
      if (above.includes(real)) return
      entries = readdirSync(directory, { withFileTypes: true })
    } catch (error) {
      // It was removed while its parent was read.
      if (relative !== '' && (error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw fileError('open', `cannot list "${directory}"`, error)
    }
    above.push(real)
    for (const entry of entries) {
      if (entry.name.startsWith('.headrace-')) continue
      const path = join(directory, entry.name)
      const name = relative === '' ? entry.name : `${relative}/${entry.name}`
      const kind = entry.isSymbolicLink() ? linkKind(path) : entry
      if (kind === undefined) continue
      if (kind.isDirectory()) {
        if (deep) visit(path, name)
      } else if (kind.isFile() && accept(name)) files.push(path)
    }
    above.pop()
  }
  visit(base, '')
  return files
}

function linkKind(path: string): { isDirectory(): boolean; isFile(): boolean } | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}
