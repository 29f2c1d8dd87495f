import type { Command } from 'commander'
import { errorKinds, isErrorCode } from '../../core/error-kinds.ts'
import { HeadraceError } from '../../core/errors.ts'
import { didYouMean } from '../../core/suggest.ts'
import type { CommandContext } from '../command.ts'
import { reportError } from '../report.ts'

export function defineExplainCode(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('explain-code')
    .description('explain an error code')
    .argument('<code>', 'an error code, such as sql_column_not_found')
    .action((code: string) => {
      if (!isErrorCode(code)) {
        const hint = didYouMean(code, Object.keys(errorKinds))
        done(reportError(new HeadraceError('cli_usage', `there is no error code "${code}"`, { hint }), io, json))
        return
      }
      const { class: kind, httpStatus, exitCode, when, fix } = errorKinds[code]
      if (json)
        io.out(`${JSON.stringify({ code, class: kind, http_status: httpStatus, exit_code: exitCode, when, fix })}\n`)
      else
        io.out(
          `${code}\n\n${when}\n\nfix:         ${fix}\nclass:       ${kind}\nexit code:   ${exitCode}\nHTTP status: ${httpStatus}\n`,
        )
    })
}
