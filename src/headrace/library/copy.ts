import { copyRecords } from './copy-records.ts'
import { EngineSink } from './data-sink.ts'
import { EngineSource } from './data-source.ts'
import { DataSourceError, guarded } from './errors.ts'
import type { CopyOptions, CopyResult, DataSink, DataSource } from './types.ts'

/**
 * Copies a source to a sink until the source ends, or `signal` aborts: then its reason is thrown, and what was written is
 * committed. Offsets are committed behind the sink's commit, never before.
 */
export async function copy(source: DataSource, sink: DataSink, options: CopyOptions = {}): Promise<CopyResult> {
  options.signal?.throwIfAborted()
  if (!(source instanceof EngineSource && sink instanceof EngineSink)) return await copyRecords(source, sink, options)
  const engine = source.place.engine()
  if (sink.place.engine() !== engine) {
    throw new DataSourceError('Configuration', 'library_usage', 'source and sink belong to two instances', {
      hint: 'create both with the same { instance }',
    })
  }
  // What is not built says so as it would anywhere else.
  await source.load()
  await sink.load()
  const { copyBySql } = await import('./copy-by-sql.ts')
  return await guarded('source', () => copyBySql(engine, { source, sink }, options))
}
