import { described, hasMethods, type OptionNames } from '../../core/option-names.ts'
import { copyRecords } from './copy-records.ts'
import { EngineSink } from './data-sink.ts'
import { EngineSource } from './data-source.ts'
import { guarded, misuse, refuseUnknown } from './errors.ts'
import type { CopyOptions, CopyResult, DataSink, DataSource } from './types.ts'

const OPTIONS: OptionNames<CopyOptions> = { signal: true, batch: true, checkpoint: true, onError: true }

const hintOf = (maker: string, given: unknown): string =>
  typeof given === 'string' ? `${maker}('${given}')` : `make it with ${maker}(uri)`

/**
 * Copies a source to a sink until the source ends, or `signal` aborts: then its reason is thrown, and what was written is
 * committed. Offsets are committed behind the sink's commit, never before.
 */
export async function copy(source: DataSource, sink: DataSink, options: CopyOptions = {}): Promise<CopyResult> {
  refuseUnknown('copy', options, OPTIONS)
  if (!hasMethods(source, 'createReader')) {
    throw misuse(`copy: the first argument is ${described(source)}, not a source`, hintOf('createSource', source))
  }
  if (!hasMethods(sink, 'createWriter')) {
    throw misuse(`copy: the second argument is ${described(sink)}, not a sink`, hintOf('createSink', sink))
  }
  options.signal?.throwIfAborted()
  if (!(source instanceof EngineSource && sink instanceof EngineSink)) return await copyRecords(source, sink, options)
  const engine = source.place.engine()
  if (sink.place.engine() !== engine) {
    throw misuse('source and sink belong to two instances', 'create both with the same { instance }')
  }
  // What is not built says so as it would anywhere else.
  await source.load()
  await sink.load()
  const { copyBySql } = await import('./copy-by-sql.ts')
  return await guarded('source', () => copyBySql(engine, { source, sink }, options))
}
