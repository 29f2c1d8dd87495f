import type { Sink } from '../connectors/contract.ts'
import type { HeadraceError } from '../core/errors.ts'
import type { Schema } from '../core/types.ts'
import { clientSink } from '../headrace/client-sink.ts'
import { DeadLetters, SkippedRows } from '../headrace/dead-letters.ts'
import { runSettings } from '../headrace/durable/settings.ts'
import type { DurableOptions } from '../headrace/durable/start.ts'
import { dataDirectory } from '../headrace/durable/state-folder.ts'
import type { Engine } from '../headrace/engine.ts'
import { guarantees, guaranteeText } from '../headrace/guarantee.ts'
import { keepsState } from '../headrace/keeps-state.ts'
import { type CompiledScript, compileScript, type ScriptInput } from '../headrace/script.ts'
import { runPipeline } from '../headrace/supervise.ts'
import { SourceText } from '../sql/diagnostics.ts'
import type { Io } from './io.ts'
import { phaseLog } from './phases.ts'
import { ProgressLine } from './progress.ts'
import {
  digestJson,
  digestText,
  faultsOf,
  printDeadLetter,
  printSkipped,
  reportError,
  reportUnlessStopped,
} from './report.ts'
import { ShutdownLimit } from './shutdown.ts'

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
  /** The savepoint, checkpoint or file to start from. */
  readonly from: string | undefined
  readonly resetSources: readonly string[]
  readonly continues: boolean
}

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
    const progress = new ProgressLine(engine.clock, io)
    const source = new SourceText(script.file, script.text)
    const say = (text: string): void => {
      progress.clear()
      io.err(`${io.paint('quiet', text)}\n`)
    }
    const sayGuarantees = (): void => {
      for (const line of guaranteeText(guarantees(plan, script.baseDirectory)).trimEnd().split('\n')) say(line)
    }
    // An endless query that forgets everything says so; one that ends needs no word.
    if (!keepsState(plan) && plan.outputs.some(({ root }) => !root.traits.bounded)) sayGuarantees()
    const input = {
      plan,
      baseDirectory: script.baseDirectory,
      deadLetters: new DeadLetters(
        (letter) => {
          progress.clear()
          printDeadLetter(letter, io)
        },
        new SkippedRows(
          (letter) => {
            progress.clear()
            printSkipped(letter, io)
          },
          () => engine.clock.elapsedMs(),
        ),
      ),
      client,
      onProgress: progress.show,
      sqlPosition: (span: { readonly start: number; readonly end: number }) => {
        const { line, column } = source.place(span)
        return `${script.file}:${line}:${column}`
      },
      durable:
        form.state === undefined
          ? undefined
          : durableOptions(engine, script, { state: form.state, onControl: progress.follow }),
      onStart: (notes: readonly string[]) => {
        for (const note of notes) say(`${plan.name}: ${note}`)
        sayGuarantees()
      },
      onRestart: (error: HeadraceError, delayMs: number) => {
        say(`${plan.name}: ${error.message} [${error.code}]; back to the last checkpoint in ${Math.round(delayMs)} ms`)
      },
      onWarning: (error: Error) => say(`${plan.name}: ${error.message}`),
      onNote: (text: string) => say(`${plan.name}: ${text}`),
    }
    const { shutdown_timeout: shutdownMs } = runSettings(plan)
    const shutdown = new ShutdownLimit(engine.clock, io.signal, {
      ms: shutdownMs,
      expire: () => {
        const seconds = shutdownMs / 1000
        say(
          `the last checkpoint did not come within ${seconds} s of the stop; the next start goes on from the one before`,
        )
        process.exit(1)
      },
    })
    const digest = await runPipeline(engine, input, io.signal).finally(() => {
      shutdown.finished()
      progress.close()
    })
    if (form.digest || digest.rejected.size > 0 || digest.lateRows > 0) {
      io.err(`${form.json ? digestJson(digest) : io.paint('quiet', digestText(digest))}\n`)
    }
    return 0
  } catch (error) {
    if (faultsOf(error).every((fault) => fault.code === 'sink_closed')) return 0
    return reportError(error, io, form.json)
  }
}

function durableOptions(
  engine: Engine,
  script: ScriptInput,
  form: { readonly state: StateForm; readonly onControl: DurableOptions['onControl'] },
): DurableOptions {
  const { state, onControl } = form
  const { dataDir, allowDroppedState, takeover, from, continues, resetSources: names } = state
  return {
    at: { dataDir: dataDirectory(dataDir, engine.environment, process.cwd()), script: script.path },
    allowDroppedState,
    takeover,
    from,
    continues,
    resetSources: names.length === 0 ? undefined : { names, now: false },
    onControl,
    onPhase: phaseLog(engine.environment),
  }
}
