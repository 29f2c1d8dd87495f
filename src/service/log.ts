/** Where the service says what happens: one object and one sentence a line; no payloads, no secrets. */
export interface Log {
  error(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  debug(fields: LogFields, message: string): void
}

export type LogFields = Readonly<Record<string, unknown>>

const nothing = (): void => undefined

export const silentLog: Log = { error: nothing, warn: nothing, info: nothing, debug: nothing }
