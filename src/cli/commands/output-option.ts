import { Option } from 'commander'

/** `-o`: table on a terminal, JSON lines in a pipe. */
export const outputOption = (): Option =>
  new Option('-o, --output <form>', 'form of the rows on standard output').choices([
    'table',
    'json',
    'csv',
    'jsonl',
    'markdown',
  ])
