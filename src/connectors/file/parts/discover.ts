import { closeSync, fstatSync, openSync } from 'node:fs'
import { discover, type Sample } from '../../../formats/discover.ts'
import type { ConnectorContext, Discovered } from '../../contract.ts'
import { csvSpec } from '../../csv-spec.ts'
import { fileError } from '../client.ts'
import type { FileOptions } from '../options.ts'
import { inflatedChunks, inspectInput, type OpenFile, readAt } from './input.ts'
import { listFiles, pathOf } from './list-files.ts'
import { waitForFiles } from './wait-for-files.ts'

/** Files that a sample is spread over. */
const FILES_MAX = 10

/** The columns of files, out of a sample of the first ones; nothing is consumed. */
export async function discoverFiles(context: ConnectorContext): Promise<Discovered> {
  const options = context.options as FileOptions
  const path = pathOf(context.uri, context.baseDirectory)
  const { clock, signal } = context
  const all = await waitForFiles(() => listFiles(path, options), {
    wait: options.wait,
    retry_interval: options.retry_interval,
    clock,
    signal,
  })
  if (all === undefined) throw signal!.reason
  const paths = all.slice(0, FILES_MAX)
  const share = Math.ceil(options.sample_bytes / paths.length)
  let format: string | undefined
  const samples: Sample[] = []
  for (const file of paths) {
    const read = await sampleOf(file, options, share)
    format ??= read.format
    samples.push(read.sample)
  }
  const found = discover(
    format!,
    samples,
    {
      rows: options.sample_rows,
      csv: csvSpec(context.options),
      records: options.records,
      lineBytesMax: options.line_bytes_max,
    },
    context,
  )
  const columns = found.columns.map((column) => ({ ...column, origin: 'sampled' as const }))
  return { ...found, columns, key: [], format, sampleCut: found.sampleCut || paths.length < all.length }
}

async function sampleOf(path: string, options: FileOptions, most: number): Promise<{ format: string; sample: Sample }> {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    throw fileError('open', `cannot read "${path}"`, error)
  }
  try {
    const { format, codec } = await inspectInput(descriptor, path, options)
    const size = fstatSync(descriptor).size
    if (codec === undefined) {
      const bytes = new Uint8Array(Math.min(most, size))
      const length = readAt(descriptor, bytes, 0, path)
      return { format, sample: { path, bytes: bytes.subarray(0, length), complete: length === size } }
    }
    const { bytes, complete } = await inflatedHead({ descriptor }, path, { codec, most })
    return { format, sample: { path, bytes, complete } }
  } finally {
    closeSync(descriptor)
  }
}

/** The first bytes of a compressed file; what comes before damage is enough of a sample. */
async function inflatedHead(
  file: OpenFile,
  path: string,
  form: { readonly codec: 'gzip' | 'zstd'; readonly most: number },
): Promise<{ bytes: Uint8Array; complete: boolean }> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    const whole = { codec: form.codec, skip: 0, readBytes: 65_536, end: Number.POSITIVE_INFINITY }
    for await (const chunk of inflatedChunks(file, path, whole)) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= form.most) return { bytes: Buffer.concat(chunks), complete: false }
    }
  } catch (error) {
    if (length === 0) throw error
    return { bytes: Buffer.concat(chunks), complete: false }
  }
  return { bytes: Buffer.concat(chunks), complete: true }
}
