import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { runScript } from '../lazy.ts'
import { scriptOf } from '../script-file.ts'
import { outputOption } from './output-option.ts'

interface Options {
  readonly output?: 'table' | 'json' | 'csv' | 'jsonl' | 'markdown'
  readonly param?: readonly string[]
}

export function defineSql(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('sql')
    .description('run one SQL text and print its rows')
    .argument('<sql>', 'SQL text: "select count(*) from \'orders/*.csv.gz\'"')
    .option('-p, --param <name=value...>', 'value of a parameter :name')
    .addOption(outputOption())
    .action(async (text: string, options: Options) => {
      const output = options.output ?? (io.outIsTerminal ? 'table' : 'jsonl')
      const script = await scriptOf({ text, parameters: options.param }, io.signal)
      done(await runScript(script, { output, json, digest: false }, io))
    })
}
