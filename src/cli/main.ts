import { Command, CommanderError, Option } from 'commander'
import { HeadraceError } from '../core/errors.ts'
import { packageVersion } from '../core/version.ts'
import { defineCat } from './commands/cat.ts'
import { defineCheckpoint } from './commands/checkpoint.ts'
import { defineClean } from './commands/clean.ts'
import { defineConnectors } from './commands/connectors.ts'
import { defineCopy } from './commands/copy.ts'
import { defineDescribe } from './commands/describe.ts'
import { defineDlq } from './commands/dlq.ts'
import { defineExplain } from './commands/explain.ts'
import { defineExplainCode } from './commands/explain-code.ts'
import { defineHealth } from './commands/health.ts'
import { defineIngest } from './commands/ingest.ts'
import { defineNexmark } from './commands/nexmark.ts'
import { definePipelines, defineStatus, defineWhy } from './commands/pipelines.ts'
import { defineRun } from './commands/run.ts'
import { defineSavepoint } from './commands/savepoint.ts'
import { defineServe } from './commands/serve.ts'
import { defineSql } from './commands/sql.ts'
import { defineStreams } from './commands/streams.ts'
import { defineValidate } from './commands/validate.ts'
import { type Io, processIo } from './io.ts'
import { reportError } from './report.ts'
import { welcome } from './welcome.ts'

const version = packageVersion()

/** Ctrl-C and SIGTERM stop gracefully; the second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const [name, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(128 + number)
      controller.abort()
    })
  }
  return controller.signal
}

async function main(): Promise<void> {
  const color = argumentOf('--color') ?? 'auto'
  const io = processIo(color === 'always' || color === 'never' ? color : 'auto', stopSignal())
  const json = process.argv.includes('--json')
  let exitCode = 0
  const program = new Command('headrace')
    .description('Streaming SQL from any source to any sink.')
    .version(version, '-V, --version')
    .addOption(new Option('--color <when>', 'colours on standard error').choices(['auto', 'always', 'never']))
    .option('--json', 'machine-readable output')
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: io.out })
  const done = (code: number): void => {
    exitCode = code
  }
  const commands = [
    defineSql,
    defineCopy,
    defineValidate,
    defineExplain,
    defineDescribe,
    defineCat,
    defineConnectors,
    defineDlq,
    defineExplainCode,
    defineIngest,
    defineNexmark,
    definePipelines,
    defineStatus,
    defineWhy,
    defineCheckpoint,
    defineSavepoint,
    defineClean,
    defineServe,
    defineStreams,
    defineHealth,
  ]
  // Defining all of them takes longer than a small query: who says at once what is wanted gets no more.
  defineRun(program, { io, done, json })
  if (process.argv[2] !== 'run') for (const define of commands) define(program, { io, done, json })
  program
    .command('version')
    .description('print the version')
    .action(() => io.out(`${version}\n`))
  try {
    if (process.argv.length === 2) done(welcome(program, io))
    else await program.parseAsync()
  } catch (error) {
    // A stop while the script was still awaited is no fault.
    if (io.signal.aborted && error === io.signal.reason) return
    exitCode = error instanceof CommanderError ? usageError(error, io, json) : reportError(error, io, json)
  }
  process.exitCode = exitCode
}

function usageError(error: CommanderError, io: Io, json: boolean): number {
  if (error.exitCode === 0) return 0
  const message = error.message.replace(/^error: /, '').replace(/\n.*$/s, '')
  const hint = /Did you mean ([^?]+)\?/.exec(error.message)?.[1]
  return reportError(
    new HeadraceError('cli_usage', message, {
      hint: hint === undefined ? 'headrace help lists the commands' : `did you mean ${hint}?`,
    }),
    io,
    json,
  )
}

function argumentOf(name: string): string | undefined {
  const at = process.argv.indexOf(name)
  if (at >= 0) return process.argv[at + 1]
  return process.argv.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1)
}

// Errors have their exit codes in `main`; it is built as CommonJS, which cannot await here.
void main()
