import { formatOfBytes } from '../../../formats/detect.ts'
import { discover } from '../../../formats/discover.ts'
import type { ConnectorContext, Discovered } from '../../contract.ts'
import { csvSpec } from '../../csv-spec.ts'
import type { StdioOptions } from '../options.ts'
import { peekStdin, type StdinHead } from './stdin-head.ts'

/** The columns of standard input, out of its first chunk; the reader still gets every byte. */
export async function discoverStdin(context: ConnectorContext): Promise<Discovered> {
  const options = context.options as StdioOptions
  const head = await peekStdin(context.shared, options.sample_bytes, context.signal)
  const format = stdinFormat(options, head)
  const sample = { path: 'stdin', bytes: Buffer.concat(head.chunks), complete: head.ended }
  const { sample_rows: rows, records, line_bytes_max: lineBytesMax } = options
  const form = { rows, csv: csvSpec(context.options), records, lineBytesMax }
  const found = discover(format, [sample], form, context)
  return { ...found, columns: found.columns.map((column) => ({ ...column, origin: 'sampled' })), key: [], format }
}

/** By option, else by what the first bytes look like, else JSON lines. */
export function stdinFormat(options: StdioOptions, head: StdinHead): string {
  if (options.format !== 'auto') return options.format
  return head.chunks.length === 0 ? 'jsonl' : (formatOfBytes(Buffer.concat(head.chunks)) ?? 'jsonl')
}
