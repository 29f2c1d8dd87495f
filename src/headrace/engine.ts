import type { SharedState } from '../connectors/contract.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { limits } from '../core/limits.ts'
import { WorkerMemory } from '../core/memory.ts'
import { Scratch } from '../core/scratch.ts'
import { Secrets } from '../core/secrets.ts'
import { packageVersion } from '../core/version.ts'
import { Kernels } from '../kernels/kernels.ts'
import type { OperatorContext, RowError } from '../operators/operator.ts'
import { builtInConnectors, type ConnectorLookup } from './catalogue.ts'

export interface EngineOptions {
  readonly clock?: Clock | undefined
  /** `interpreted` and `off` are the twins of the generated loops and of the compiled kernels. */
  readonly mode?: 'compiled' | 'interpreted' | undefined
  readonly kernels?: 'on' | 'off' | undefined
  readonly batchRows?: number | undefined
  /** Relative paths of sources and sinks start here. */
  readonly baseDirectory?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
  /** Ends what waits before a pipeline runs, such as the discovery of columns. */
  readonly signal?: AbortSignal | undefined
  /** Those that come with Headrace when absent. */
  readonly connectors?: ConnectorLookup | undefined
}

/** What one instance shares: memory, kernels, clock, in-process channels. */
export class Engine {
  readonly memory: WorkerMemory
  readonly kernels: Kernels
  readonly clock: Clock
  readonly mode: 'compiled' | 'interpreted'
  readonly batchRows: number
  readonly baseDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly shared: SharedState
  readonly signal: AbortSignal | undefined
  readonly connectors: ConnectorLookup
  /** Values that must not be printed. */
  readonly secrets = new Secrets()

  constructor(options: EngineOptions = {}) {
    this.memory = new WorkerMemory()
    this.kernels = new Kernels(this.memory, options.kernels ?? 'on')
    this.clock = options.clock ?? systemClock
    this.mode = options.mode ?? 'compiled'
    this.batchRows = options.batchRows ?? limits.batchRows
    this.baseDirectory = options.baseDirectory ?? process.cwd()
    this.environment = options.environment ?? process.env
    this.signal = options.signal
    this.connectors = options.connectors ?? builtInConnectors
    const states = new Map<string, unknown>()
    this.shared = {
      get: <T>(key: string, create: () => T): T => {
        if (!states.has(key)) states.set(key, create())
        return states.get(key) as T
      },
    }
  }

  /** Of this program. */
  get version(): string {
    return packageVersion()
  }

  /** What the operators of one pipeline share. */
  operatorContext(onRowError: (error: RowError) => void, onExprError: 'drop' | 'null' = 'drop'): OperatorContext {
    return {
      memory: this.memory,
      kernels: this.kernels,
      mode: this.mode,
      batchRows: this.batchRows,
      batchRowsMax: limits.batchRowsMax,
      current: { nowMicros: this.clock.nowMicros(), split: '' },
      scratch: new Scratch(this.memory),
      onRowError,
      onExprError,
      counters: { lateRows: 0, lateWindowMisses: 0 },
    }
  }
}
