import { bool, byteCount, choice, duration, integer, list, text, type ValuesOf } from '../../core/options.ts'
import { isCustomFormat } from '../../formats/custom-formats.ts'
import { FORMATS, formatOptions, sinkOptions, sourceOptions } from '../shared-options.ts'

const later = { later: true } as const

export const fileOptions = {
  ...sourceOptions,
  ...formatOptions,
  ...sinkOptions,
  format: choice(FORMATS, 'Format; auto goes by extension, magic bytes and content, for a sink else jsonl.', {
    also: isCustomFormat,
    default: 'auto',
  }),
  recursive: bool('A directory means all files below it.', { default: false, side: 'source' }),
  exclude: text('Glob of paths to leave out.', { side: 'source' }),
  extension: text('Only files with this extension.', { side: 'source' }),
  read_bytes: byteCount('Bytes read at once.', { default: 1_048_576, min: 4096, max: 16_777_216, side: 'source' }),
  read_files_max: integer('Most files open at once.', { default: 256, min: 1, side: 'source' }),
  hive: choice(['auto', 'on', 'off'], 'Directories c=v become columns.', { default: 'auto', side: 'source' }),
  min_age: duration('Leave files changed more recently than this for later.', { default: 0, side: 'source' }),
  wait: duration('How long to wait for a path that does not exist yet.', { default: 0, side: 'source' }),
  retry_interval: duration('How often a path that does not exist yet is looked at.', {
    default: 1000,
    min: 10,
    side: 'source',
  }),
  fingerprint_bytes: byteCount('First bytes by which a file is known again.', {
    default: 1024,
    min: 16,
    max: 1_048_576,
    side: 'source',
  }),
  watch: bool('Keep reading as files grow and appear.', { default: false, side: 'source' }),
  start: choice(['earliest', 'latest'], 'Where files begin that are there when watching begins.', {
    default: 'earliest',
    side: 'source',
  }),
  watch_strategy: choice(
    ['polling', 'events', 'hybrid'],
    'How a watched path is looked at: at intervals, or also when the system tells of a change.',
    { default: 'hybrid', side: 'source' },
  ),
  poll_interval: duration('How often watched files are looked at.', {
    default: 1000,
    min: 100,
    max: 60_000,
    side: 'source',
  }),
  poll_fallback: duration('Hybrid: how often they are looked at where the system tells of changes.', {
    default: 5000,
    min: 100,
    max: 60_000,
    side: 'source',
  }),
  rotation_pattern: text('Glob of the names in its directory that a watched file is renamed to: app.log.*', {
    side: 'source',
  }),
  rotate_wait: duration('A file that was renamed or deleted has ended when it did not grow for so long.', {
    default: 5000,
    side: 'source',
  }),
  line_timeout: duration('A last line without its end is given when the file did not grow for so long.', {
    min: 1,
    side: 'source',
  }),
  write_mode: choice(
    ['append', 'create', 'overwrite'],
    'What happens to what is there; a folder is created, a plain path overwritten by a query that ends, else appended.',
    { side: 'sink' },
  ),
  partition_by: list('Columns of a Hive layout, folders c=v; the files hold the columns, too.', { side: 'sink' }),
  name: text('How names of new files begin; no "-".', { default: 'part', side: 'sink' }),
  roll_bytes: byteCount('Start a new file at this size.', { default: 134_217_728, min: 1, side: 'sink' }),
  roll_records: integer('Start a new file after so many rows.', { min: 1, side: 'sink' }),
  roll_interval: duration('Start a new file after this time.', { min: 1, side: 'sink' }),
  roll_clock: choice(['event', 'wall'], 'Whether roll_interval counts event time or time that passes.', {
    default: 'wall',
    side: 'sink',
  }),
  idle_close: duration('Close a file without new rows.', { default: 60_000, min: 1, side: 'sink' }),
  open_files_max: integer('Most files open at once; the one used longest ago is closed.', {
    default: 64,
    min: 1,
    side: 'sink',
  }),
  path_timezone: text('Time zone of time parts in paths.', { default: 'UTC', side: 'sink' }),
  min_free: byteCount('Bytes of the disk to leave free; not for a plain path without checkpoints.', {
    default: 104_857_600,
    min: 0,
    side: 'sink',
  }),
  success_file: text('File that says that a folder is complete.', { ...later, side: 'sink' }),
  partition_commit_delay: duration('Wait before a partition is called complete.', { ...later, side: 'sink' }),
  fsync: choice(['commit', 'never'], 'Whether files are synced when they are published.', {
    default: 'commit',
    side: 'sink',
  }),
} as const

export type FileOptions = ValuesOf<typeof fileOptions>
