import type { Command } from 'commander'
import type { Discovered } from '../../connectors/contract.ts'
import { typeName } from '../../core/types.ts'
import type { CommandContext } from '../command.ts'
import { reportUnlessStopped } from '../report.ts'

export function defineDescribe(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('describe')
    .description('print the columns of a source')
    .argument('<uri>', 'URI, path or glob')
    .action(async (uri: string) => {
      try {
        const [{ Engine }, { describe }] = await Promise.all([
          import('../../headrace/engine.ts'),
          import('../../headrace/describe.ts'),
        ])
        const found = await describe(new Engine({ signal: io.signal }), uri)
        io.out(json ? `${JSON.stringify(jsonOf(found))}\n` : textOf(found))
      } catch (error) {
        done(reportUnlessStopped(error, io, json))
      }
    })
}

const jsonOf = (found: Discovered): unknown => ({
  format: found.format ?? null,
  columns: found.columns.map(({ type, nullShare, ...column }) => ({
    ...column,
    type: typeName(type),
    null_share: nullShare,
  })),
  key: found.key,
  event_time_candidates: found.eventTimeCandidates,
  rows_seen: found.rowsSeen,
  bytes_seen: found.bytesSeen,
  warnings: found.warnings,
})

function textOf(found: Discovered): string {
  const rows = found.columns.map(({ name, type, nullable, origin, nullShare, examples }) => [
    name,
    `${typeName(type)}${nullable ? '' : ' NOT NULL'}`,
    origin,
    nullable ? `${Math.round(nullShare * 100)} % NULL` : '',
    examples.slice(0, 2).join(', '),
  ])
  const widths = [0, 1, 2, 3].map((i) => Math.max(...rows.map((row) => row[i]!.length)))
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const facts = [
    ...(found.format === undefined ? [] : [`format: ${found.format}`]),
    ...(found.rowsSeen > 0 ? [`sampled: ${found.rowsSeen} rows, ${found.bytesSeen} bytes`] : []),
    ...(found.eventTimeCandidates.length > 0 ? [`event time: ${found.eventTimeCandidates.join(', ')}`] : []),
    ...found.warnings.map((warning) => `warning: ${warning}`),
  ]
  return `${[...lines, '', ...facts].join('\n').trimEnd()}\n`
}
