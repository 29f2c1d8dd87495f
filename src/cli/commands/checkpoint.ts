import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { type DataDirOption, withDataDir } from '../data-dir.ts'
import { countOf } from './cat.ts'

/** What is stored of pipelines. */
export function defineCheckpoint(program: Command, context: CommandContext): void {
  const { done } = context
  const checkpoint = program.command('checkpoint').description('list, show, verify, trigger, prune checkpoints')
  const at = (action: string, text: string): Command =>
    withDataDir(
      checkpoint
        .command(action)
        .description(text)
        .argument('<place>', 'a pipeline, or a folder that holds checkpoints/'),
    )
  at('list', 'list stored checkpoints').action(async (place: string, options: DataDirOption) => {
    const { list } = await import('../operate/checkpoints.ts')
    await list(place, options, context)
  })
  at('show', 'what a checkpoint holds')
    .argument('[id]', 'its id (default: the newest)')
    .action(async (place: string, id: string | undefined, options: DataDirOption) => {
      const { show } = await import('../operate/checkpoints.ts')
      await show(place, id, options, context)
    })
  at('verify', 'decode every checkpoint and savepoint').action(async (place: string, options: DataDirOption) => {
    const { verify } = await import('../operate/checkpoints.ts')
    done(await verify(place, options, context))
  })
  at('trigger', 'take a checkpoint now and wait until it is committed').action(
    async (place: string, options: DataDirOption) => {
      const { trigger } = await import('../operate/checkpoints.ts')
      await trigger(place, options, context)
    },
  )
  at('prune', 'remove old checkpoints of a pipeline that does not run')
    .requiredOption('--keep <epochs>', 'epochs kept', countOf)
    .action(async (place: string, options: DataDirOption & { readonly keep: number }) => {
      const { prune } = await import('../operate/checkpoints.ts')
      await prune(place, options, context)
    })
}
