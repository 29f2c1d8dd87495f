import { type Command, Option } from 'commander'
import type { CommandContext } from '../command.ts'
import { type DataDirOption, withDataDir } from '../data-dir.ts'
import type { ResolveOptions, SeekOptions } from '../operate/moves.ts'
import { countOf } from './cat.ts'

/** `pipelines`, `status`, `why`: what is kept and what runs. What they do is loaded when one is called. */
export function definePipelines(program: Command, context: CommandContext): void {
  const { done } = context
  const pipelines = program
    .command('pipelines')
    .alias('jobs')
    .description('list, show, pause, resume, stop, seek, resolve pipelines')
  withDataDir(pipelines.command('list').alias('ls').description('list the pipelines of a data directory')).action(
    async (options: DataDirOption) => {
      const { list } = await import('../operate/pipelines.ts')
      await list(options, context)
    },
  )
  one(pipelines, 'show', 'what is kept of a pipeline, and who runs it').action(
    async (name: string, options: DataDirOption) => {
      const { show } = await import('../operate/pipelines.ts')
      await show(name, options, context)
    },
  )
  for (const [action, text] of [
    ['pause', 'read nothing more until resume; what was read is committed first'],
    ['resume', 'go on after pause'],
  ] as const) {
    one(pipelines, action, text).action(async (name: string, options: DataDirOption) => {
      const { tellTo } = await import('../operate/pipelines.ts')
      await tellTo(action, name, options, context)
    })
  }
  one(pipelines, 'stop', 'stop after a last checkpoint')
    .option('--timeout <duration>', 'wait for its end no longer than that', '30s')
    .action(async (name: string, options: DataDirOption & { readonly timeout: string }) => {
      const { stop } = await import('../operate/pipelines.ts')
      done(await stop(name, options, context))
    })
  defineMoves(pipelines, context)
}

/** What moves or unblocks a pipeline that does not run. */
function defineMoves(pipelines: Command, context: CommandContext): void {
  one(pipelines, 'seek', 'let a split of a stopped pipeline go on elsewhere')
    .requiredOption('--source <name>', 'name or URI of the source')
    .requiredOption('--split <id>', 'the split, as checkpoint show prints it')
    .requiredOption('--to <offset>', 'an offset, as checkpoint show prints them, or earliest')
    .option('--keep-state', 'operators go on with what they hold')
    .option('--drop-state', 'operators forget what they hold')
    .action(async (name: string, options: SeekOptions) => {
      const { seekTo } = await import('../operate/moves.ts')
      await seekTo(name, options, context)
    })
  one(pipelines, 'resolve', 'say what a sink holds that blocks the start')
    .requiredOption('--epoch <epoch>', 'the epoch that the sink holds', countOf)
    .addOption(
      new Option('--as <what>', 'whether the target holds its rows')
        .choices(['committed', 'absent'])
        .makeOptionMandatory(),
    )
    .action(async (name: string, options: ResolveOptions) => {
      const { resolve } = await import('../operate/moves.ts')
      await resolve(name, options, context)
    })
}

export function defineStatus(program: Command, context: CommandContext): void {
  withDataDir(
    program.command('status').description('what pipelines are doing').argument('[name]', 'a pipeline'),
  ).action(async (name: string | undefined, options: DataDirOption) => {
    const { list, status } = await import('../operate/pipelines.ts')
    await (name === undefined ? list(options, context) : status(name, options, context))
  })
}

export function defineWhy(program: Command, context: CommandContext): void {
  one(program, 'why', 'what a pipeline waits for').action(async (name: string, options: DataDirOption) => {
    const { why } = await import('../operate/pipelines.ts')
    await why(name, options, context)
  })
}

const one = (parent: Command, action: string, text: string): Command =>
  withDataDir(parent.command(action).description(text).argument('<name>', 'a pipeline'))
