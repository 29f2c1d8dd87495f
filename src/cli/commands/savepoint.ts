import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { type DataDirOption, withDataDir } from '../data-dir.ts'

/** Checkpoints that stay until they are deleted. */
export function defineSavepoint(program: Command, context: CommandContext): void {
  const savepoint = program.command('savepoint').description('create, list, show, delete, export, import savepoints')
  const of = (action: string, text: string): Command =>
    withDataDir(savepoint.command(action).description(text).argument('<pipeline>', 'a pipeline'))
  of('create', 'keep a checkpoint under a name: one taken now, or the newest of a stopped pipeline')
    .argument('<name>', 'a name for it')
    .action(async (pipeline: string, name: string, options: DataDirOption) => {
      const { create } = await import('../operate/savepoints.ts')
      await create({ pipeline, name }, options, context)
    })
  of('list', 'list savepoints').action(async (pipeline: string, options: DataDirOption) => {
    const { list } = await import('../operate/savepoints.ts')
    await list(pipeline, options, context)
  })
  of('show', 'what a savepoint holds')
    .argument('<name>', 'a savepoint')
    .action(async (pipeline: string, name: string, options: DataDirOption) => {
      const { show } = await import('../operate/savepoints.ts')
      await show({ pipeline, name }, options, context)
    })
  of('delete', 'delete a savepoint')
    .argument('<name>', 'a savepoint')
    .action(async (pipeline: string, name: string, options: DataDirOption) => {
      const { remove } = await import('../operate/savepoints.ts')
      await remove({ pipeline, name }, options, context)
    })
  of('export', 'copy a savepoint to a new file')
    .argument('<name>', 'a savepoint')
    .argument('<file>', 'path of the file')
    .action(async (pipeline: string, name: string, file: string, options: DataDirOption) => {
      const { exportTo } = await import('../operate/savepoints.ts')
      await exportTo({ pipeline, name, file }, options, context)
    })
  of('import', 'take a file that was exported')
    .argument('<file>', 'path of the file')
    .option('--name <name>', 'a name for it (default: that of the file)')
    .action(async (pipeline: string, file: string, options: DataDirOption & { readonly name?: string }) => {
      const { importFrom } = await import('../operate/savepoints.ts')
      await importFrom({ pipeline, file }, options, context)
    })
}
