import { writeSync } from 'node:fs'
import type { DurableOptions } from '../headrace/durable/start.ts'

/** The open descriptor that takes the phases of checkpoints, one line each, for tests that break them. */
const PHASES = 'HEADRACE_PHASE_FD'

export function phaseLog(environment: Readonly<Record<string, string | undefined>>): DurableOptions['onPhase'] {
  const log = environment[PHASES]
  return log === undefined ? undefined : (phase, epoch) => writeSync(Number(log), `${process.pid} ${epoch} ${phase}\n`)
}
