import type { FrameStatus, StreamStatus } from '../../client/client.ts'

/** Where the service is, and who asks. */
export interface ServerOptions {
  readonly server?: string
  readonly key?: string
  readonly account?: string
  readonly scope?: readonly string[]
  readonly for?: readonly string[]
  readonly expires?: string
}

export interface FieldOptions extends ServerOptions {
  readonly name?: string
  readonly symbol?: string
  readonly description?: string
  readonly frequency?: string
  readonly slaMs?: number
  readonly status?: StreamStatus
  readonly metadata?: Readonly<Record<string, string>>
}

export interface PublishOptions extends ServerOptions {
  /** `-`: standard input. */
  readonly source?: string | undefined
  readonly sequence?: string
  readonly payload: string
  readonly latencyMs?: number
  readonly status?: FrameStatus
  readonly metadata?: Readonly<Record<string, string>>
}

export interface TailOptions extends ServerOptions {
  readonly from: string
  readonly limit?: number
}
