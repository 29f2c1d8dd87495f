import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { runScript } from '../lazy.ts'
import { scriptOf } from '../script-file.ts'
import { outputOption } from './output-option.ts'

interface Options {
  readonly execute?: string
  readonly output?: 'table' | 'json' | 'csv' | 'jsonl' | 'markdown'
  readonly param?: readonly string[]
  readonly dataDir?: string
  readonly allowDroppedState?: boolean
  readonly takeover?: boolean
  readonly from?: string
  readonly resetSource?: readonly string[]
  readonly continue?: boolean
}

export function defineRun(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('run')
    .description('run a pipeline in the foreground')
    .argument('[file]', 'SQL script; - reads standard input')
    .option('-e, --execute <sql>', 'run this text instead of a file')
    .option('-p, --param <name=value...>', 'value of a parameter :name')
    .option('--data-dir <dir>', 'where state is kept (default: .headrace, or HEADRACE_DATA_DIR)')
    .option('--allow-dropped-state', 'start a changed query: state that fits nothing any more is dropped')
    .option('--takeover', 'do not wait for the heartbeat of another process')
    .option('--from <savepoint>', 'start from a savepoint, the id of a checkpoint, or a file')
    .option('--reset-source <name...>', 'a source that starts anew when it is another one than in the checkpoint')
    .option('--continue', 'after a complete run: read only what was added')
    .addOption(outputOption())
    .action(async (file: string | undefined, options: Options) => {
      const script = await scriptOf({ file, text: options.execute, parameters: options.param }, io.signal)
      const output = options.output ?? (io.outIsTerminal ? 'table' : 'jsonl')
      const { dataDir, allowDroppedState = false, takeover = false, from, resetSource = [] } = options
      const state = {
        dataDir,
        allowDroppedState,
        takeover,
        from,
        resetSources: resetSource,
        continues: options.continue === true,
      }
      done(await runScript(script, { output, json, digest: true, state }, io))
    })
}
