import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { reportError } from '../report.ts'
import { scriptOf } from '../script-file.ts'

export function defineValidate(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('validate')
    .description('check a script and print every fault')
    .argument('[file]', 'SQL script; - reads standard input')
    .option('-e, --execute <sql>', 'check this text instead of a file')
    .action(async (file: string | undefined, options: { readonly execute?: string }) => {
      const script = scriptOf(file, options.execute)
      try {
        const { compileScript, Engine } = await import('../../headrace/headrace.ts')
        const { warnings } = await compileScript(new Engine(), script)
        for (const warning of warnings) reportError(warning, io, json)
        if (json) io.out(`${JSON.stringify({ valid: true, file: script.file, warnings: warnings.length })}\n`)
        else io.out(`${script.file}: valid\n`)
      } catch (error) {
        done(reportError(error, io, json))
      }
    })
}
