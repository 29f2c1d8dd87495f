import type { OptionValues } from '../../../core/options.ts'
import type { Uri } from '../../../core/uri.ts'
import type { SinkFacts } from '../../contract.ts'
import type { FileOptions } from '../options.ts'
import { pathOf } from './list-files.ts'
import { isTemplate } from './path-template.ts'
import { targetOf } from './target.ts'

/** A target as it is named, before it is opened. */
interface SinkPlace {
  readonly uri: Uri
  readonly options: OptionValues
  readonly bounded: boolean
  readonly baseDirectory: string
}

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
  append: 'length at the barrier, cut on restore, behind a lock',
  create: 'staged file linked at the end',
  overwrite: 'staged file renamed over the target at the end',
}

/** What the target and the options let the sink promise; looks at the target, changes nothing. */
export function fileSinkFacts(
  uri: Uri,
  options: OptionValues,
  form: { readonly bounded: boolean; readonly baseDirectory: string },
): SinkFacts {
  const mode = fileSinkMode({ uri, options, ...form })
  const how = HOW[mode]
  if (mode === 'stream') return { delivery: 'at-least-once', how }
  const staged = mode !== 'append'
  if ((options as FileOptions).fsync === 'never') {
    const weakenedBy = 'fsync = never: committed rows may be gone after a loss of power'
    return { delivery: 'at-most-once', how, weakenedBy, raiseBy: 'fsync = commit', staged }
  }
  if (staged) return { delivery: 'transactional', how, staged }
  return {
    delivery: 'idempotent',
    how,
    weakenedBy: 'readers of one growing file can see rows of an unfinished epoch',
    raiseBy: form.bounded ? 'write_mode = overwrite, or a folder as target' : 'a folder as target',
  }
}
