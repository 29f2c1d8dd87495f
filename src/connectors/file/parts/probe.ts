import { accessSync, constants, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { HeadraceError } from '../../../core/errors.ts'
import type { Side } from '../../../core/option-types.ts'
import type { Check, ConnectorContext } from '../../contract.ts'
import type { FileOptions } from '../options.ts'
import { hasGlob, listFiles, pathOf } from './list-files.ts'
import { parseTemplate } from './path-template.ts'
import { fileSinkMode } from './sink-facts.ts'
import { statOrNothing } from './stat-file.ts'

/** Looks whether files can be read, or a target written; opens and makes nothing. */
export async function probeFiles(context: ConnectorContext, side: Side): Promise<readonly Check[]> {
  const checks: Check[] = []
  const check = (name: string, look: () => string): boolean => {
    const started = context.clock.elapsedMs()
    const found = attempt(look)
    checks.push({ name, ...found, ms: context.clock.elapsedMs() - started })
    return found.ok
  }
  const options = context.options as FileOptions
  const path = pathOf(context.uri, context.baseDirectory)
  if (side === 'source') {
    let files: readonly string[] = []
    const isThere = check('target exists', () => {
      files = options.watch && statOrNothing(path) === undefined ? [] : listFiles(path, options)
      return files.length === 0 ? `"${path}" is waited for` : `${files.length} files`
    })
    if (isThere && files.length > 0) {
      check('authorise', () => {
        for (const file of files.slice(0, FILES_MAX)) accessSync(file, constants.R_OK)
        return 'can be read'
      })
    }
    return checks
  }
  const folder = existing(targetFolder(context, path))
  const isWritable = check('authorise', () => {
    const target = statOrNothing(path)?.isFile() === true ? path : folder
    accessSync(target, constants.W_OK)
    return `"${target}" can be written`
  })
  if (isWritable) {
    check('room', () => {
      const { bavail, bsize } = statfsSync(folder)
      const free = bavail * bsize
      if (free >= options.min_free) return `${free} bytes are free`
      throw new HeadraceError('connector_capacity', `${free} bytes are free, min_free is ${options.min_free}`, {
        hint: 'make room, or lower min_free',
      })
    })
  }
  return checks
}

/** Files that are looked at one by one. */
const FILES_MAX = 100

/** The folder that new files appear in, or that holds the one file. */
function targetFolder(context: ConnectorContext, path: string): string {
  const { uri, options, baseDirectory } = context
  if (fileSinkMode({ uri, options, baseDirectory, bounded: false }) !== 'folder' || hasGlob(path)) return dirname(path)
  const form = { schema: { fields: [] }, pipeline: 'query', writer: 0, environment: process.env }
  try {
    return parseTemplate(path, form).root
  } catch {
    // Columns of its path are not known without rows.
    return dirname(path.slice(0, path.search(/[{$]/) + 1 || undefined))
  }
}

/** The nearest folder that is there. */
function existing(folder: string): string {
  for (let at = folder; ; at = dirname(at)) if (statOrNothing(at) !== undefined || dirname(at) === at) return at
}

function attempt(look: () => string): Pick<Check, 'ok' | 'detail' | 'hint'> {
  try {
    return { ok: true, detail: look() }
  } catch (error) {
    if (error instanceof HeadraceError) return { ok: false, detail: error.message, hint: error.hint }
    return { ok: false, detail: (error as Error).message, hint: 'check the rights of the path' }
  }
}
