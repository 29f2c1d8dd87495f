import { type Command, InvalidArgumentError } from 'commander'
import type { CommandContext } from '../command.ts'
import { runScript } from '../lazy.ts'
import { scriptOf } from '../script-file.ts'
import { quoted } from './copy.ts'
import { outputOption } from './output-option.ts'

interface Options {
  readonly output?: 'table' | 'json' | 'csv' | 'jsonl' | 'markdown'
  readonly limit?: number
}

export function defineCat(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('cat')
    .description('print the rows of a source')
    .argument('<uri>', 'URI, path or glob')
    .option('-n, --limit <rows>', 'rows printed at most', countOf)
    .addOption(outputOption())
    .action(async (uri: string, options: Options) => {
      const limit = options.limit === undefined ? '' : ` LIMIT ${options.limit}`
      const output = options.output ?? (io.outIsTerminal ? 'table' : 'jsonl')
      const script = await scriptOf({ text: `SELECT * FROM ${quoted(uri)}${limit}` }, io.signal)
      done(await runScript(script, { output, json, digest: false }, io))
    })
}

export function countOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('it is not a whole number')
  return Number(text)
}
