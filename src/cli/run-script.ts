import type { Sink } from '../connectors/contract.ts'
import type { Schema } from '../core/types.ts'
import { clientSink } from '../headrace/client-sink.ts'
import { DeadLetters } from '../headrace/dead-letters.ts'
import type { Engine } from '../headrace/engine.ts'
import { Pipeline, type Progress } from '../headrace/pipeline.ts'
import { type CompiledScript, compileScript, type ScriptInput } from '../headrace/script.ts'
import { SourceText } from '../sql/diagnostics.ts'
import type { Io } from './io.ts'
import { digestJson, digestText, faultsOf, printDeadLetter, reportError, reportUnlessStopped } from './report.ts'

export type OutputForm = 'table' | 'json' | 'csv' | 'jsonl' | 'markdown'

export interface RunForm {
  /** Form of rows that go to the client. */
  readonly output: OutputForm
  readonly json: boolean
  /** Print the digest even when nothing went wrong. */
  readonly digest: boolean
}

const PROGRESS_MS = 100

/** Compiles and runs a script in the foreground; returns the exit code. */
export async function runScript(engine: Engine, script: ScriptInput, form: RunForm, out: Io): Promise<number> {
  const io: Io = { ...out, err: (text) => out.err(engine.secrets.redact(text)) }
  let compiled: CompiledScript
  try {
    compiled = await compileScript(engine, script)
  } catch (error) {
    return reportUnlessStopped(error, io, form.json)
  }
  const { plan, warnings } = compiled
  try {
    for (const warning of warnings) reportError(warning, io, form.json)
    for (const text of plan.texts) io.out(text.endsWith('\n') ? text : `${text}\n`)
    if (plan.outputs.length === 0) return 0
    const client = (schema: Schema, { changes }: { changes: boolean }): Promise<Sink> =>
      clientSink(engine, schema, { changes, format: form.output, timeZone: plan.settings.get('timezone') })
    const progress = progressLine(engine, io)
    const source = new SourceText(script.file, script.text)
    const pipeline = new Pipeline(engine, {
      plan,
      baseDirectory: script.baseDirectory,
      deadLetters: new DeadLetters((letter) => {
        progress.clear()
        printDeadLetter(letter, io)
      }),
      client,
      onProgress: progress.show,
      sqlPosition: (span) => {
        const { line, column } = source.place(span)
        return `${script.file}:${line}:${column}`
      },
    })
    const digest = await pipeline.run(io.signal).finally(progress.clear)
    if (form.digest || digest.rejected.size > 0 || digest.lateRows > 0) {
      io.err(`${form.json ? digestJson(digest) : io.paint('quiet', digestText(digest))}\n`)
    }
    return 0
  } catch (error) {
    if (faultsOf(error).every((fault) => fault.code === 'sink_closed')) return 0
    return reportError(error, io, form.json)
  }
}

/** A line on the terminal that is written over; nothing elsewhere. */
function progressLine(engine: Engine, io: Io): { show: ((progress: Progress) => void) | undefined; clear: () => void } {
  if (!io.errIsTerminal) return { show: undefined, clear: () => undefined }
  const started = engine.clock.elapsedMs()
  let shown = started
  let visible = false
  const show = ({ rowsIn, lateRows, deadLetters }: Progress): void => {
    const now = engine.clock.elapsedMs()
    if (now - shown < PROGRESS_MS) return
    shown = now
    visible = true
    const rate = Math.round(rowsIn / ((now - started) / 1000))
    const extra = `${lateRows > 0 ? ` · late ${lateRows}` : ''}${deadLetters > 0 ? ` · dead letters ${deadLetters}` : ''}`
    io.err(`\r\u001b[K${io.paint('quiet', `${rowsIn} rows · ${rate}/s${extra}`)}`)
  }
  const clear = (): void => {
    if (visible) io.err('\r\u001b[K')
    visible = false
  }
  return { show, clear }
}
