import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { HeadraceError } from '../../core/errors.ts'
import type { Schema } from '../../core/types.ts'
import { clientSink } from '../../headrace/client-sink.ts'
import { queueFolder } from '../../headrace/dlq/queue-folder.ts'
import type { MapBytes, ReplayReport } from '../../headrace/dlq/replay.ts'
import { runReplay } from '../../headrace/dlq/run-replay.ts'
import { folderOf, readFacts } from '../../headrace/durable/state-folder.ts'
import { Engine } from '../../headrace/engine.ts'
import { SourceText } from '../../sql/diagnostics.ts'
import type { Io } from '../io.ts'
import { phaseLog } from '../phases.ts'
import { reportUnlessStopped } from '../report.ts'
import { scriptOf } from '../script-file.ts'
import type { ReplayOptions } from './options.ts'
import { dataDirOf, filterOf } from './places.ts'

/** Runs dead letters of one pipeline once more; returns the exit code. */
export async function replay(pipeline: string, options: ReplayOptions, io: Io, json: boolean): Promise<number> {
  const engine = new Engine({ signal: io.signal })
  const say = (text: string): void => io.err(`${io.paint('quiet', engine.secrets.redact(text))}\n`)
  try {
    const dataDir = dataDirOf(options.dataDir)
    const path = scriptPath(dataDir, pipeline)
    const script = await scriptOf({ file: path, parameters: options.param }, io.signal)
    const source = new SourceText(script.file, script.text)
    const report = await runReplay(
      engine,
      {
        pipeline,
        script,
        directory: queueFolder(dataDir, pipeline),
        durable: {
          at: { dataDir, script: script.path },
          allowDroppedState: options.allowDroppedState === true,
          takeover: options.takeover === true,
          onPhase: phaseLog(engine.environment),
        },
        filter: { ...filterOf(options), ids: options.id },
        map: options.map === undefined ? undefined : await mapOf(options.map),
        rate: options.rate,
        batchSize: options.batchSize,
        dryRun: options.dryRun === true,
        client: (schema: Schema, { changes }) =>
          clientSink(engine, schema, { changes, format: 'jsonl', timeZone: undefined }),
        sqlPosition: (span) => {
          const { line, column } = source.place(span)
          return `${script.file}:${line}:${column}`
        },
        onNote: (text) => say(`${pipeline}: ${text}`),
        onWarning: (error) => say(`${pipeline}: ${error.message}`),
      },
      io.signal,
    )
    if (json) io.out(`${JSON.stringify({ pipeline, dry_run: options.dryRun === true, ...report })}\n`)
    else io.out(reportText(pipeline, report, options.dryRun === true))
    return 0
  } catch (error) {
    return reportUnlessStopped(error, io, json)
  }
}

/** The script that a pipeline was started from last. */
function scriptPath(dataDir: string, pipeline: string): string {
  const facts = readFacts(folderOf(dataDir, pipeline))
  if (facts === undefined) {
    throw new HeadraceError('cli_usage', `there is no state of a pipeline "${pipeline}" in "${dataDir}"`, {
      hint: 'headrace dlq stats lists the pipelines that have dead letters; --data-dir says where to look',
    })
  }
  if (facts.script !== null) return facts.script
  throw new HeadraceError('dlq_replay_refused', `"${pipeline}" was started from a text, not from a file`, {
    hint: 'put the text into a file and run that; then replay',
  })
}

/** A module whose `map` takes the bytes of an original and gives those that run. */
async function mapOf(file: string): Promise<MapBytes> {
  const path = resolve(file)
  let loaded: { readonly map?: unknown }
  try {
    loaded = (await import(pathToFileURL(path).href)) as { readonly map?: unknown }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new HeadraceError('cli_usage', `--map: "${file}" cannot be loaded: ${why}`, { cause })
  }
  const { map } = loaded
  if (typeof map !== 'function') {
    throw new HeadraceError('cli_usage', `--map: "${file}" exports no function "map"`, {
      hint: 'export const map = (bytes: Uint8Array): Uint8Array | null => …',
    })
  }
  return async (bytes) => {
    const mapped: unknown = await (map as MapBytes)(bytes)
    if (mapped === null || mapped instanceof Uint8Array) return mapped
    if (typeof mapped === 'string') return Buffer.from(mapped)
    throw new TypeError(`it gave ${typeof mapped}, not bytes or null`)
  }
}

function reportText(pipeline: string, report: ReplayReport, dryRun: boolean): string {
  const { selected, resolved, failed, left, samples } = report
  const lines = [
    `${pipeline}: ${selected} selected, ${resolved} ${dryRun ? 'would pass' : 'resolved'}`,
    ...Object.entries(failed).map(([code, count]) => `  ${count} ${dryRun ? 'would fail' : 'failed'} again: ${code}`),
    ...Object.entries(left).map(([why, count]) => `  ${count} left as they are: ${why}`),
    ...samples.map((row) => `  ${row}`),
  ]
  return `${lines.join('\n')}\n`
}
