import type { Clock } from '../core/clock.ts'
import type { DomainCounters } from './counters.ts'

export type Operation =
  | 'create_stream'
  | 'update_stream'
  | 'get_stream'
  | 'list_streams'
  | 'delete_stream'
  | 'create_frame'
  | 'list_frames'
  | 'latest_frame'

export type Attributes = Readonly<Record<string, string | number>>

/** What somebody sees of every operation; a hook that throws is a mistake of its own, the operation goes on. */
export interface ServiceHooks {
  onStart?(operation: Operation, attributes: Attributes): void
  onSuccess?(operation: Operation, attributes: Attributes): void
  onError?(operation: Operation, attributes: Attributes, error: unknown): void
}

/** Measures operations and tells the hooks. */
export class Operations {
  readonly #clock: Clock
  readonly #counters: DomainCounters
  readonly #hooks: ServiceHooks
  readonly #onHookError: (error: unknown) => void

  constructor(clock: Clock, counters: DomainCounters, hooks: ServiceHooks, onHookError: (error: unknown) => void) {
    this.#clock = clock
    this.#counters = counters
    this.#hooks = hooks
    this.#onHookError = onHookError
  }

  async run<T>(operation: Operation, attributes: Attributes, task: () => Promise<T>): Promise<T> {
    const { onStart, onSuccess, onError } = this.#hooks
    const from = this.#clock.elapsedMs()
    if (onStart !== undefined) this.#told(() => onStart(operation, attributes))
    try {
      const result = await task()
      this.#counters.operation(operation, 'ok', (this.#clock.elapsedMs() - from) / 1000)
      if (onSuccess !== undefined) this.#told(() => onSuccess(operation, attributes))
      return result
    } catch (error) {
      const code = (error as { readonly code?: unknown } | null)?.code
      const result = typeof code === 'string' ? code : 'internal'
      this.#counters.operation(operation, result, (this.#clock.elapsedMs() - from) / 1000)
      if (onError !== undefined) this.#told(() => onError(operation, attributes, error))
      throw error
    }
  }

  #told(hook: () => void): void {
    try {
      hook()
    } catch (error) {
      this.#onHookError(error)
    }
  }
}
