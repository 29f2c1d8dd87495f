import { writeSync } from 'node:fs'
import type { Sink } from '../connectors/contract.ts'
import type { HeadraceError } from '../core/errors.ts'
import type { Schema } from '../core/types.ts'
import { clientSink } from '../headrace/client-sink.ts'
import { DeadLetters } from '../headrace/dead-letters.ts'
import type { DurableOptions } from '../headrace/durable/start.ts'
import { dataDirectory } from '../headrace/durable/state-folder.ts'
import type { Engine } from '../headrace/engine.ts'
import { guarantees, guaranteeText } from '../headrace/guarantee.ts'
import type { Progress } from '../headrace/pipeline.ts'
import { type CompiledScript, compileScript, type ScriptInput } from '../headrace/script.ts'
import { runPipeline } from '../headrace/supervise.ts'
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
  /** Undefined: no state is kept. */
  readonly state?: StateForm | undefined
}

/** How `run` treats the state of a named pipeline. */
export interface StateForm {
  readonly dataDir: string | undefined
  readonly allowDroppedState: boolean
  readonly takeover: boolean
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
    const say = (text: string): void => {
      progress.clear()
      io.err(`${io.paint('quiet', text)}\n`)
    }
    const input = {
      plan,
      baseDirectory: script.baseDirectory,
      deadLetters: new DeadLetters((letter) => {
        progress.clear()
        printDeadLetter(letter, io)
      }),
      client,
      onProgress: progress.show,
      sqlPosition: (span: { readonly start: number; readonly end: number }) => {
        const { line, column } = source.place(span)
        return `${script.file}:${line}:${column}`
      },
      durable: form.state === undefined ? undefined : durableOptions(engine, script, form.state),
      onStart: (notes: readonly string[]) => {
        for (const note of notes) say(`${plan.name}: ${note}`)
        for (const line of guaranteeText(guarantees(plan, script.baseDirectory)).trimEnd().split('\n')) say(line)
      },
      onRestart: (error: HeadraceError, delayMs: number) => {
        say(`${plan.name}: ${error.message} [${error.code}]; back to the last checkpoint in ${Math.round(delayMs)} ms`)
      },
      onWarning: (error: Error) => say(`${plan.name}: ${error.message}`),
    }
    const digest = await runPipeline(engine, input, io.signal).finally(progress.clear)
    if (form.digest || digest.rejected.size > 0 || digest.lateRows > 0) {
      io.err(`${form.json ? digestJson(digest) : io.paint('quiet', digestText(digest))}\n`)
    }
    return 0
  } catch (error) {
    if (faultsOf(error).every((fault) => fault.code === 'sink_closed')) return 0
    return reportError(error, io, form.json)
  }
}

/** The open descriptor that takes the phases of checkpoints, one line each, for tests that break them. */
const PHASES = 'HEADRACE_PHASE_FD'
/** `<phase>:<ms>`: where such a test has the process stand still, because a signal comes too late for a short phase. */
const PHASE_HOLD = 'HEADRACE_PHASE_HOLD'

function durableOptions(engine: Engine, script: ScriptInput, state: StateForm): DurableOptions {
  const { dataDir, allowDroppedState, takeover } = state
  const log = engine.environment[PHASES]
  return {
    at: { dataDir: dataDirectory(dataDir, engine.environment, process.cwd()), script: script.path },
    allowDroppedState,
    takeover,
    onPhase: log === undefined ? undefined : phaseLog(Number(log), engine.environment[PHASE_HOLD]),
  }
}

function phaseLog(descriptor: number, hold: string | undefined): (phase: string, epoch: bigint) => void {
  const [heldPhase, heldMs] = hold?.split(':') ?? []
  const never = new Int32Array(new SharedArrayBuffer(4))
  return (phase, epoch) => {
    writeSync(descriptor, `${process.pid} ${epoch} ${phase}\n`)
    if (phase === heldPhase) Atomics.wait(never, 0, 0, Number(heldMs))
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
