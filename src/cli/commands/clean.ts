import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { withDataDir } from '../data-dir.ts'
import type { CleanOptions } from '../operate/clean.ts'

/** Removes the state of pipelines. */
export function defineClean(program: Command, context: CommandContext): void {
  withDataDir(program.command('clean').description('delete what is kept of pipelines; without --yes only show it'))
    .argument('[pipeline]', 'a pipeline (default: all that do not run)')
    .option('--yes', 'delete it')
    .action(async (pipeline: string | undefined, options: CleanOptions) => {
      const { cleanUp } = await import('../operate/clean.ts')
      await cleanUp(pipeline, options, context)
    })
}
