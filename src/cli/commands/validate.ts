import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { reportError, reportUnlessStopped } from '../report.ts'
import { scriptOf } from '../script-file.ts'

export function defineValidate(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('validate')
    .description('check a script and print every fault')
    .argument('[file]', 'SQL script; - reads standard input')
    .option('-e, --execute <sql>', 'check this text instead of a file')
    .action(async (file: string | undefined, options: { readonly execute?: string }) => {
      const script = await scriptOf({ file, text: options.execute }, io.signal)
      try {
        const [{ Engine }, { compileScript }] = await Promise.all([
          import('../../headrace/engine.ts'),
          import('../../headrace/script.ts'),
        ])
        const { warnings } = await compileScript(new Engine({ signal: io.signal }), script)
        for (const warning of warnings) reportError(warning, io, json)
        if (json) io.out(`${JSON.stringify({ valid: true, file: script.file, warnings: warnings.length })}\n`)
        else io.out(`${script.file}: valid\n`)
      } catch (error) {
        done(reportUnlessStopped(error, io, json))
      }
    })
}
