import { type Command, Option } from 'commander'
import { HeadraceError } from '../../core/errors.ts'
import type { CommandContext } from '../command.ts'
import { withDataDir } from '../data-dir.ts'
import type { IngestLevel } from '../run-ingest.ts'

const DEFAULT_URL = 'http://localhost:8080/batches'
const LEVELS = ['error', 'warn', 'info', 'debug'] as const

interface Options {
  readonly datastream: string
  readonly sink: string
  readonly rows: 'batch' | 'block'
  readonly fromCheckpoint: string
  readonly checkpointStore?: string
  readonly maxBatches: number
  readonly enableMetrics?: boolean
  readonly pollInterval: string
  readonly exitWhenIdle?: boolean
  readonly logLevel: IngestLevel
  readonly dataDir?: string
}

export function defineIngest(program: Command, { io, done, json }: CommandContext): void {
  const command = program
    .command('ingest')
    .description('read batches of a chain into a sink; goes on where it stopped, follows reorganisations')
    .addOption(
      new Option('--datastream <url>', 'http(s), ws(s), chain+…: URI, folder, or module that exports `source`')
        .default(DEFAULT_URL)
        .env('CDK_DATASTREAM_URL'),
    )
    .option('--sink <uri>', 'where the rows go', 'stdout:?format=jsonl')
    .addOption(
      new Option('--rows <form>', 'a row for each batch, or for each block')
        .choices(['batch', 'block'])
        .default('batch'),
    )
    .option('--from-checkpoint <where>', 'auto, latest, or the number of the batch before', 'auto')
    .addOption(
      new Option(
        '--checkpoint-store <uri>',
        'where the position is kept: file, sqlite:…, memory:, or module that exports `storage` (default: in the data directory)',
      ).env('CDK_CHECKPOINT_STORE'),
    )
    .option('--max-batches <n>', 'ends after so many batches; 0: never', wholeNumber, 0)
    .option('--enable-metrics', 'print the metrics at the end')
    .option('--poll-interval <time>', 'pause when nothing is new', '2s')
    .option('--exit-when-idle', 'ends when nothing is new')
    .addOption(
      new Option('--log-level <level>', 'what is said on standard error')
        .choices(LEVELS)
        .default('info')
        .env('CDK_LOG_LEVEL'),
    )
  withDataDir(command).action(async (options: Options) => {
    const { runIngest } = await import('../run-ingest.ts')
    const { logLevel, enableMetrics = false, exitWhenIdle = false, checkpointStore, dataDir, ...rest } = options
    const form = { ...rest, exitWhenIdle, checkpointStore, dataDir }
    done(await runIngest(form, { level: logLevel, metrics: enableMetrics, json }, io))
  })
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number
  throw new HeadraceError('cli_usage', `"${text}" is no whole number`, { hint: '0 means no limit' })
}
