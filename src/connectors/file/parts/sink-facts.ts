import type { SinkFacts, SinkPlace } from '../../contract.ts'
import type { FileOptions } from '../options.ts'
import { pathOf } from './list-files.ts'
import { isTemplate } from './path-template.ts'
import { targetOf } from './target.ts'

/** How a target is written. */
export type FileSinkMode =
  /** A pipe, a device: bytes go out as they come. */
  | 'stream'
  /** New files in a folder. */
  | 'folder'
  | 'append'
  /** One plain path, written once at the end. */
  | 'create'
  | 'overwrite'

export function fileSinkMode({ uri, options, bounded, baseDirectory }: SinkPlace): FileSinkMode {
  const path = pathOf(uri, baseDirectory)
  if (uri.path.at(-1) === '' || isTemplate(path)) return 'folder'
  const target = targetOf(path)
  if (target.stat?.isDirectory() === true) return 'folder'
  if (target.isStream) return 'stream'
  return (options as FileOptions).write_mode ?? (bounded ? 'overwrite' : 'append')
}

const HOW: Readonly<Record<FileSinkMode, string>> = {
  stream: 'written as rows come',
  folder: 'staged files linked at commit under a ledger',
  append: 'length at the barrier, cut on restore, behind a lock; readers can see an unfinished epoch',
  create: 'staged file linked at the end',
  overwrite: 'staged file renamed over the target at the end',
}

export function fileSinkFacts(place: SinkPlace): SinkFacts {
  const mode = fileSinkMode(place)
  const how = HOW[mode]
  if (mode === 'stream') return { level: 'at_least_once', how }
  if ((place.options as FileOptions).fsync === 'never') {
    // Committed rows may be gone after a loss of power.
    return { level: 'at_most_once', how, weakenedBy: { option: 'fsync=never', raise: 'fsync=commit' } }
  }
  if (mode === 'append') {
    const raise = place.bounded ? 'write_mode=overwrite, or a folder' : 'a folder as target'
    return { level: 'effectively_once', how, weakenedBy: { option: 'one plain path, appended', raise } }
  }
  return { level: 'exactly_once', how }
}
