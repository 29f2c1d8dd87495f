import { type Command, Option } from 'commander'
import type { CommandContext } from '../command.ts'
import { reportUnlessStopped } from '../report.ts'
import { scriptOf } from '../script-file.ts'

const STAGES = ['tokens', 'ast', 'bound', 'plan', 'optimized', 'streaming', 'delivery', 'graph'] as const

/** `explain` prints one stage; `plan` is the effective plan. */
export function defineExplain(program: Command, { io, done, json }: CommandContext): void {
  const action =
    (fixed: (typeof STAGES)[number] | undefined) =>
    async (
      file: string | undefined,
      options: { readonly execute?: string; readonly stage?: (typeof STAGES)[number] },
    ) => {
      const script = await scriptOf({ file, text: options.execute }, io.signal)
      try {
        const stage = fixed ?? options.stage ?? 'optimized'
        const [{ Engine }, { explainScript }] = await Promise.all([
          import('../../headrace/engine.ts'),
          import('../../headrace/script.ts'),
        ])
        const print = async (part: (typeof STAGES)[number]): Promise<string> =>
          await explainScript(new Engine({ signal: io.signal }), script, { stage: part, json })
        if (fixed === undefined) io.out(await print(stage))
        else if (json) {
          const [plan, delivery] = [await print(stage), await print('delivery')]
          io.out(`{"plan":${plan.trimEnd()},"delivery":${delivery.trimEnd()}}\n`)
        } else io.out(`${await print(stage)}\n${await print('delivery')}`)
      } catch (error) {
        done(reportUnlessStopped(error, io, json))
      }
    }
  program
    .command('explain')
    .description('print a stage of a script')
    .argument('[file]', 'SQL script; - reads standard input')
    .option('-e, --execute <sql>', 'explain this text instead of a file')
    .addOption(new Option('-s, --stage <stage>', 'which stage').choices(STAGES))
    .action(action(undefined))
  program
    .command('plan')
    .description('print the effective plan of a script')
    .argument('[file]', 'SQL script; - reads standard input')
    .option('-e, --execute <sql>', 'plan this text instead of a file')
    .action(action('streaming'))
}
