import { type CopyProgress, OffsetFile } from './offset-file.ts'
import type { CopyOptions, CopyResult, DataSink, DataSource, StreamRecord } from './types.ts'

const BATCH = 1024
const NOTHING: CopyProgress = { read: 0, written: 0, failed: 0, bytes: 0, complete: false }

/** Record by record, for sources and sinks that are not the engine's: at least once, each batch committed on its own. */
export async function copyRecords(
  source: DataSource,
  sink: DataSink,
  { signal, checkpoint, onError, batch = BATCH }: CopyOptions,
): Promise<CopyResult> {
  const store = checkpoint === undefined ? undefined : new OffsetFile(checkpoint, source.uri)
  const stored = store?.read()
  const from = stored?.position
  await using reader = await source.createReader({ ...(from === undefined ? {} : { from }), bytes: true, signal })
  await using writer = await sink.createWriter({ schema: reader.schema, signal })
  const before = stored?.copied ?? NOTHING
  const counts = { ...before, complete: false }
  while (reader.hasMore()) {
    const records = await reader.read(batch, { waitMs: Number.POSITIVE_INFINITY, signal })
    if (records.length === 0) continue
    counts.read += records.length
    for (const record of records) {
      counts.bytes += record.bytes?.length ?? 0
      counts[(await wrote(record)) ? 'written' : 'failed']++
    }
    // The order is the promise: what the offset covers is safe before the offset is.
    await writer.flush()
    const position = reader.position()
    store?.save(position, counts)
    await reader.commit(position)
  }
  const { complete: _, ...done } = counts
  if (from !== undefined || done.read > 0) store?.save(reader.position(), { ...done, complete: true })
  return { ...done, resumed: stored !== undefined, wasComplete: before.complete && done.read === before.read }

  async function wrote(record: StreamRecord): Promise<boolean> {
    try {
      await writer.write(record)
      return true
    } catch (error) {
      if (onError === undefined || onError === 'fail') throw error
      if (typeof onError === 'function') {
        const { code = 'connector_record_invalid', message } = error as Error & { readonly code?: string }
        onError({ partition: record.partition ?? record.source, code, detail: message, bytes: bytesOf(record) })
      }
      return false
    }
  }
}

const bytesOf = ({ bytes, value }: StreamRecord): Uint8Array =>
  bytes ?? (value instanceof Uint8Array ? value : Buffer.from(JSON.stringify(value, exact)))

const exact = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value)
