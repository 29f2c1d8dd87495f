import { choice, integer, type ValuesOf } from '../../core/options.ts'
import { isCustomFormat } from '../../formats/custom-formats.ts'
import { formatOptions, sinkOptions, sourceOptions } from '../shared-options.ts'

export const stdioOptions = {
  ...sourceOptions,
  ...formatOptions,
  ...sinkOptions,
  format: choice(
    ['auto', 'csv', 'tsv', 'json', 'jsonl', 'raw', 'text', 'table', 'markdown'],
    'Format; auto is jsonl.',
    {
      default: 'auto',
      also: isCustomFormat,
    },
  ),
  limit: integer('Rows printed at most.', { min: 0, side: 'sink' }),
} as const

export type StdioOptions = ValuesOf<typeof stdioOptions>
