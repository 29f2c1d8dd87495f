import { HeadraceError } from '../../core/errors.ts'
import { freshSeed } from '../../core/random.ts'
import { makeFolder, type SystemFiles, systemFiles } from '../../core/system-files.ts'
import { refuseLaterPath } from '../../formats/compression.ts'
import type { Sink, SinkContext } from '../contract.ts'
import { fileError } from './client.ts'
import type { FileOptions } from './options.ts'
import { AppendedSink } from './parts/appended-sink.ts'
import { hasGlob, pathOf } from './parts/list-files.ts'
import { type FolderTarget, NewFilesSink } from './parts/new-files-sink.ts'
import { columnOf, type PathPart, parseTemplate } from './parts/path-template.ts'
import { PlainSink } from './parts/plain-sink.ts'
import { ReplacedSink } from './parts/replaced-sink.ts'
import { type FileSinkMode, fileSinkMode } from './parts/sink-facts.ts'
import { type Target, targetOf } from './parts/target.ts'

/** Options that only new files in a folder have. */
const FOLDER_OPTIONS = ['partition_by', 'roll_bytes', 'roll_records', 'roll_interval', 'roll_clock', 'name'] as const

/** Chooses how a target is written: new files in a folder, or one plain path. `files`: the system calls. */
export async function openFileSink(context: SinkContext, files: SystemFiles = systemFiles): Promise<Sink> {
  const options = context.options as FileOptions
  const path = pathOf(context.uri, context.baseDirectory)
  const mode = fileSinkMode(context)
  if (mode === 'folder') {
    const slash = context.uri.path.at(-1) === '' && !path.endsWith('/') ? '/' : ''
    return await openFolder(context, `${path}${slash}`, files)
  }
  refuseFolderOptions(options, path)
  if (hasGlob(path)) {
    throw new HeadraceError('connector_uri_invalid', `a glob is no target: "${path}"`, {
      hint: 'name one plain file, a folder, or names in braces such as {date}',
    })
  }
  if (options.compression === 'auto') refuseLaterPath(path)
  return await openPlain(context, { mode, target: targetOf(path) }, files)
}

async function openFolder(context: SinkContext, path: string, files: SystemFiles): Promise<Sink> {
  const options = context.options as FileOptions
  if (!/^[\w.]+$/.test(options.name) || options.name.startsWith('.')) {
    throw new HeadraceError('connector_option_invalid', `option "name": "${options.name}" cannot begin a file name`, {
      hint: 'letters, digits, "_" and "."; "-" ends it',
    })
  }
  if (options.write_mode === 'overwrite' && !context.bounded) {
    throw new HeadraceError('connector_option_conflict', `an endless query cannot overwrite "${path}"`, {
      hint: "write_mode = 'append' adds files",
    })
  }
  const pipeline = context.pipeline ?? 'query'
  const { schema, part, writer } = context
  const template = parseTemplate(path, { schema, pipeline, writer, environment: process.env })
  const parts = [...template.parts, ...hiveParts(context, template.parts.length > 0)]
  const root = targetOf(template.root.length > 1 ? template.root.replace(/\/+$/, '') : template.root)
  if (root.stat !== undefined && !root.stat.isDirectory()) {
    throw new HeadraceError('connector_uri_invalid', `"${root.path}" is no folder`, {
      hint: 'leave the slash out to write one plain file',
    })
  }
  const lineage = context.lineage ?? freshSeed().toString(16).padStart(8, '0')
  const target: FolderTarget = { root: root.path, parts, owner: { pipeline, part, writer }, lineage }
  if (context.lineage === undefined) {
    try {
      await makeFolder(files, root.path, { mode: 0o777, unsynced: new Set() })
    } catch (error) {
      throw fileError('open', `cannot write "${root.path}"`, error)
    }
  }
  return new NewFilesSink(context, target, files)
}

/** `partition_by` as path: `c=value/…`. */
function hiveParts({ schema, options }: SinkContext, behind: boolean): PathPart[] {
  return ((options as FileOptions).partition_by ?? []).flatMap((name, i): PathPart[] => {
    const column = columnOf(schema, name)
    if (column === undefined) {
      throw new HeadraceError('connector_option_invalid', `option "partition_by": the rows have no column "${name}"`, {
        hint: `columns: ${schema.fields.map((field) => field.name).join(', ')}`,
      })
    }
    const label = `${i > 0 || behind ? '/' : ''}${encodeURIComponent(schema.fields[column]!.name)}=`
    return [
      { kind: 'text', text: label },
      { kind: 'column', column },
    ]
  })
}

function refuseFolderOptions(options: FileOptions, path: string): void {
  const given = FOLDER_OPTIONS.find((name) => Object.hasOwn(options, name))
  if (given === undefined) return
  throw new HeadraceError('connector_option_conflict', `option "${given}" needs a folder, "${path}" is a file`, {
    hint: 'end the path with a slash, or leave the option out',
  })
}

async function openPlain(
  context: SinkContext,
  { mode, target }: { readonly mode: FileSinkMode; readonly target: Target },
  files: SystemFiles,
): Promise<Sink> {
  const { path, stat } = target
  if (mode === 'stream') return new PlainSink(context, target)
  if (mode === 'append') return await AppendedSink.open(context, target, files)
  if (!context.bounded) {
    throw new HeadraceError('connector_option_conflict', `an endless query cannot ${mode} the plain file "${path}"`, {
      hint: 'leave write_mode out to append, or end the path with a slash to write new files',
    })
  }
  if (context.lineage !== undefined) {
    const sink = new ReplacedSink(context, target, files)
    try {
      await sink.refuseExisting()
      return sink
    } catch (error) {
      await sink[Symbol.asyncDispose]()
      throw error
    }
  }
  if (mode === 'create' && stat !== undefined) {
    throw new HeadraceError('target_exists', `"${path}" exists`, {
      hint: "write_mode = 'overwrite' replaces it, write_mode = 'append' adds to it",
    })
  }
  return new PlainSink(context, target)
}
