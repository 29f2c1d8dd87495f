import { writeSync } from 'node:fs'
import type { DurableOptions } from '../headrace/durable/start.ts'

/** The open descriptor that takes the phases of checkpoints, one line each, for tests that break them. */
const PHASES = 'HEADRACE_PHASE_FD'
/** `<phase>:<ms>`: where such a test has the process stand still, because a signal comes too late for a short phase. */
const PHASE_HOLD = 'HEADRACE_PHASE_HOLD'

export function phaseLog(environment: Readonly<Record<string, string | undefined>>): DurableOptions['onPhase'] {
  const descriptor = environment[PHASES]
  if (descriptor === undefined) return undefined
  const [heldPhase, heldMs] = environment[PHASE_HOLD]?.split(':') ?? []
  const never = new Int32Array(new SharedArrayBuffer(4))
  return (phase, epoch) => {
    writeSync(Number(descriptor), `${process.pid} ${epoch} ${phase}\n`)
    if (phase === heldPhase) Atomics.wait(never, 0, 0, Number(heldMs))
  }
}
