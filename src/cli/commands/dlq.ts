import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandContext } from '../command.ts'
import type { DlqFilter, ListOptions, PurgeOptions, ReplayOptions, ShowOptions } from '../dlq/options.ts'
import { countOf } from './cat.ts'

const DATA_DIR = 'where state is kept (default: .headrace, or HEADRACE_DATA_DIR)'

/** Dead letters: `list`, `stats`, `show`, `replay`, `purge`. What they do is loaded when one is called. */
export function defineDlq(program: Command, { io, done, json }: CommandContext): void {
  const dlq = program.command('dlq').description('what went no further: list, count, show, replay, purge dead letters')
  filtered(dlq.command('list').description('list dead letters, oldest first'))
    .option('-n, --limit <entries>', 'entries printed at most', countOf, 50)
    .option('--cursor <cursor>', 'go on behind the page that printed it')
    .action(async (pipeline: string | undefined, options: ListOptions) => {
      const { listEntries } = await import('../dlq/queries.ts')
      done(listEntries({ ...options, ...given(pipeline) }, io, json))
    })
  filtered(dlq.command('stats').alias('status').description('count dead letters by cause')).action(
    async (pipeline: string | undefined, options: DlqFilter) => {
      const { printStats } = await import('../dlq/queries.ts')
      done(printStats({ ...options, ...given(pipeline) }, io, json))
    },
  )
  dlq
    .command('show')
    .description('print a dead letter with all its parts')
    .argument('<id>', 'its id, or the beginning of it')
    .option('--pipeline <name>', 'look in this pipeline only')
    .option('--data-dir <dir>', DATA_DIR)
    .option('--raw', 'write the original bytes and nothing else')
    .option('--hex', 'print the original bytes as hexadecimal digits')
    .action(async (id: string, options: ShowOptions) => {
      const { showEntry } = await import('../dlq/queries.ts')
      done(showEntry(id, options, io, json))
    })
  choosing(
    dlq
      .command('replay')
      .alias('reprocess')
      .description('run dead letters through their pipeline once more, while it does not run')
      .argument('<pipeline>', 'the pipeline'),
  )
    .option('--id <id...>', 'entries by id, or by the beginning of it')
    .option('--map <file>', 'module that mends: export const map = (bytes: Uint8Array) => Uint8Array | null')
    .option('--rate <entries>', 'entries per second', positiveOf)
    .option('--batch-size <entries>', 'entries that are delivered and resolved together', positiveOf, 1000)
    .option('--dry-run', 'say what would come of it; nothing is touched')
    .option('-p, --param <name=value...>', 'value of a parameter :name')
    .option('--allow-dropped-state', 'also when the query has changed: state that fits nothing any more is dropped')
    .option('--takeover', 'do not wait for the heartbeat of another process')
    .action(async (pipeline: string, options: ReplayOptions) => {
      const { replay } = await import('../dlq/replay.ts')
      done(await replay(pipeline, options, io, json))
    })
  filtered(dlq.command('purge').description('remove dead letters; without --confirm they are only counted'))
    .option('--older-than <duration>', 'entries that failed first longer ago: 30d, 12h')
    .option('--resolved', 'entries that were resolved')
    .option('--confirm', 'remove them')
    .action(async (pipeline: string | undefined, options: PurgeOptions) => {
      const { purge } = await import('../dlq/queries.ts')
      done(await purge({ ...options, ...given(pipeline) }, io, json))
    })
}

function positiveOf(text: string): number {
  const number = countOf(text)
  if (number === 0) throw new InvalidArgumentError('it must be 1 or more')
  return number
}

const given = (pipeline: string | undefined): { readonly pipeline?: string } =>
  pipeline === undefined ? {} : { pipeline }

/** The options that choose entries. */
const filtered = (command: Command): Command =>
  choosing(
    command.argument('[pipeline]', 'a pipeline (default: all)').option('--pipeline <name>', 'a pipeline'),
  ).addOption(
    new Option('--state <state>', 'what became of it').choices(['pending', 'scheduled', 'gave_up', 'resolved']),
  )

function choosing(command: Command): Command {
  return command
    .option('--data-dir <dir>', DATA_DIR)
    .addOption(
      new Option('--category <category>', 'kind of failure').choices([
        'parsing',
        'validation',
        'transient',
        'permanent',
        'late',
      ]),
    )
    .option('--code <code>', 'code of the error')
    .addOption(new Option('--stage <stage>', 'where it failed').choices(['decode', 'expression', 'window', 'sink']))
    .option('--since <time>', 'failed first at or after: 2026-01-31T10:00:00Z, or 2h for two hours ago')
    .option('--until <time>', 'failed first before')
}
