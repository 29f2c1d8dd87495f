import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { runScript } from '../lazy.ts'
import { scriptOf } from '../script-file.ts'

/** A URI or path as a SQL string. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

export function defineCopy(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('copy')
    .description('copy one source to one sink')
    .argument('<source>', 'URI, path or glob')
    .argument('<sink>', 'URI or path')
    .action(async (source: string, sink: string) => {
      const script = await scriptOf({ text: `INSERT INTO ${quoted(sink)} SELECT * FROM ${quoted(source)}` }, io.signal)
      done(await runScript(script, { output: 'jsonl', json, digest: true }, io))
    })
}
