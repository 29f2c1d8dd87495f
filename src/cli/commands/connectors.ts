import type { Command } from 'commander'
import { HeadraceError } from '../../core/errors.ts'
import type { Option } from '../../core/option-types.ts'
import { didYouMean } from '../../core/suggest.ts'
import { connectors } from '../../headrace/catalogue.ts'
import type { CommandContext } from '../command.ts'
import { reportError } from '../report.ts'

export function defineConnectors(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('connectors')
    .description('list the connectors, or the options of one')
    .argument('[name]', 'a connector or scheme')
    .action(async (name: string | undefined) => {
      if (name === undefined) {
        for (const entry of connectors) {
          const { summary, schemes } = await entry.load()
          if (json) io.out(`${JSON.stringify({ name: entry.name, schemes, summary })}\n`)
          else
            io.out(
              `${entry.name.padEnd(10)} ${schemes
                .map((scheme) => `${scheme}:`)
                .join(' ')
                .padEnd(24)} ${summary}\n`,
            )
        }
        return
      }
      const entry = connectors.find((one) => one.name === name || one.schemes.includes(name))
      if (entry === undefined) {
        const hint =
          didYouMean(
            name,
            connectors.map((one) => one.name),
          ) ?? 'headrace connectors lists them'
        done(reportError(new HeadraceError('cli_usage', `there is no connector "${name}"`, { hint }), io, json))
        return
      }
      const { options } = await entry.load()
      for (const [key, option] of Object.entries(options)) {
        if (json) io.out(`${JSON.stringify({ name: key, ...option })}\n`)
        else io.out(`${optionLine(key, option)}\n`)
      }
    })
}

function optionLine(name: string, option: Option<unknown>): string {
  const type = option.choices?.join('|') ?? option.type
  const side = option.side === undefined ? '' : ` (${option.side})`
  const fallback = option.default === undefined ? '–' : String(option.default)
  const later = option.later ? ' Not built yet.' : ''
  return `${name}: ${type} = ${fallback}${side}\n    ${option.doc}${later}`
}
