import type { GivenOption } from '../../core/options.ts'
import type { OptionEntry, OptionValue } from '../../sql/catalogue.ts'
import { type DeadLetter, DeadLetters } from '../dead-letters.ts'
import type { Engine } from '../engine.ts'
import { compileScript } from '../script.ts'
import { runPipeline } from '../supervise.ts'
import type { EngineSink } from './data-sink.ts'
import type { EngineSource } from './data-source.ts'
import { DataSourceError } from './errors.ts'
import type { CopyOptions, CopyResult } from './types.ts'

/** Of a pipeline that keeps its progress, in the folder that was given for it. */
const NAME = 'copy'

/** One pipeline of the engine: columns from end to end, and its way of committing. */
export async function copyBySql(
  engine: Engine,
  { source, sink }: { readonly source: EngineSource; readonly sink: EngineSink },
  { signal = new AbortController().signal, checkpoint, onError, batch }: CopyOptions,
): Promise<CopyResult> {
  const from = source.named
  const extra = [
    ...(batch === undefined ? [] : [{ name: 'batch_rows', value: String(batch) }]),
    ...(typeof onError === 'string' ? [{ name: 'on_error', value: onError }] : []),
  ].filter(({ name }) => from.spec!.options[name] !== undefined)
  const { plan } = await compileScript(engine, {
    file: '<copy>',
    text: "SET checkpoint.interval = '1s'; INSERT INTO 'memory://sink' SELECT * FROM 'memory://source'",
    baseDirectory: engine.baseDirectory,
    name: checkpoint === undefined ? undefined : NAME,
    parameters: new Map(),
    catalogue: (own) => ({
      ...own,
      source: () =>
        own.source({ uri: from.uri.text, options: [...entries(from.given), ...extra], columns: source.place.schema }),
      sink: () => own.sink({ uri: sink.named.uri.text, options: entries(sink.named.given) }),
    }),
  })
  const durable =
    checkpoint === undefined
      ? undefined
      : {
          at: { dataDir: checkpoint, script: undefined },
          allowDroppedState: false,
          takeover: false,
          resumesCompleted: true,
        }
  const input = {
    plan,
    baseDirectory: engine.baseDirectory,
    deadLetters: new ToldLetters(typeof onError === 'function' ? onError : undefined),
    client: () => {
      throw new DataSourceError('SinkSpecific', 'internal_assertion', 'a copy has no client')
    },
    durable,
  }
  const { rowsIn, rowsOut, rejected, bytesIn, balance, resumed } = await runPipeline(engine, input, signal)
  signal.throwIfAborted()
  const failed = [...rejected.values()].reduce((sum, count) => sum + count, 0)
  const written = rowsOut.reduce((sum, out) => sum + out.rows, 0)
  return {
    read: balance?.in ?? rowsIn + failed,
    written,
    failed,
    bytes: bytesIn,
    resumed: resumed !== undefined,
    wasComplete: resumed === 'complete',
  }
}

const entries = (given: readonly GivenOption[]): readonly OptionEntry[] =>
  given.map(({ name, value }) => ({ name, value: (value ?? true) as OptionValue }))

/** Tells of every row that went no further. */
class ToldLetters extends DeadLetters {
  readonly #tell: Exclude<CopyOptions['onError'], string>

  constructor(tell: Exclude<CopyOptions['onError'], string>) {
    super(() => undefined)
    this.#tell = tell
  }

  override keep(letter: DeadLetter): void {
    super.keep(letter)
    const { code, detail, source, split, value } = letter
    this.#tell?.({ partition: split ?? source, code, detail, bytes: value })
  }
}
