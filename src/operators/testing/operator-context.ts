import { WorkerMemory } from '../../core/memory.ts'
import { Scratch } from '../../core/scratch.ts'
import { Kernels } from '../../kernels/kernels.ts'
import type { OperatorContext } from '../operator.ts'

/** Kernels and generated loops, or the twins of both; small batches. What is wrong with rows goes to `errors`. */
export function testContext(mode: OperatorContext['mode'], errors: string[]): OperatorContext {
  const memory = new WorkerMemory()
  return {
    memory,
    kernels: new Kernels(memory, mode === 'compiled' ? 'on' : 'off'),
    mode,
    onExprError: 'drop',
    batchRows: 16,
    batchRowsMax: 64,
    current: { nowMicros: 0, split: '' },
    scratch: new Scratch(memory),
    onRowError: ({ code, detail }) => errors.push(`${code} ${detail}`),
    counters: { lateRows: 0, lateWindowMisses: 0 },
  }
}
