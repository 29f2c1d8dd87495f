import type { WorkerMemory } from '../core/memory.ts'
import type { Kernels } from '../kernels/kernels.ts'

/** What encoders and decoders of one worker share. */
export interface FormatDeps {
  readonly memory: WorkerMemory
  readonly kernels: Kernels
}
