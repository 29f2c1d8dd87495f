import type { Io } from './io.ts'

/** What the definition of a command is handed. */
export interface CommandContext {
  readonly io: Io
  /** Sets the exit code. */
  readonly done: (code: number) => void
  readonly json: boolean
}
