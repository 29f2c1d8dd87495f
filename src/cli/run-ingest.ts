import { Engine } from '../headrace/engine.ts'
import { type IngestForm, ingest } from '../headrace/ingest/ingest.ts'
import type { Io } from './io.ts'
import { reportError, reportUnlessStopped } from './report.ts'

export type IngestLevel = 'error' | 'warn' | 'info' | 'debug'

const RANK = { error: 0, warn: 1, info: 2, debug: 3 } as const

type Given = Omit<IngestForm, 'baseDirectory' | 'signal' | 'onStart' | 'onError' | 'onNote' | 'onBatch'>

/** Ingests in the foreground; returns the exit code. */
export async function runIngest(
  given: Given,
  how: { readonly level: IngestLevel; readonly metrics: boolean; readonly json: boolean },
  io: Io,
): Promise<number> {
  const engine = new Engine({ signal: io.signal })
  const says = (level: IngestLevel): boolean => RANK[how.level] >= RANK[level]
  const line = (level: IngestLevel, text: string): void => {
    if (says(level)) io.err(`${io.paint('quiet', `ingest: ${text}`)}\n`)
  }
  try {
    const outcome = await ingest(engine, {
      ...given,
      baseDirectory: process.cwd(),
      signal: io.signal,
      onStart: (text) => line('info', text),
      onNote: (text) => line('warn', text),
      onBatch: ({ id, blocks }) => line('debug', `batch ${id.number} ${id.hash}, ${blocks.length} blocks`),
      onError: (error) => {
        if (says('warn')) reportError(error, io, how.json)
      },
    })
    if (how.metrics) io.err(outcome.metrics)
    const { batches, rollbacks, lastBatch } = outcome
    if (how.json) io.err(`${JSON.stringify({ batches, rollbacks, lastBatch: lastBatch ?? null })}\n`)
    else
      line(
        'info',
        `batches ${batches}, rollbacks ${rollbacks}, at ${lastBatch === undefined ? 'no batch' : `batch ${lastBatch}`}`,
      )
    return 0
  } catch (error) {
    return reportUnlessStopped(error, io, how.json)
  }
}
