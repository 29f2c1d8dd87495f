/** Options of every `dlq` command that chooses entries. */
export interface DlqFilter {
  readonly pipeline?: string
  readonly dataDir?: string
  readonly category?: string
  readonly code?: string
  readonly state?: string
  readonly stage?: string
  readonly since?: string
  readonly until?: string
}

export interface ListOptions extends DlqFilter {
  readonly limit: number
  readonly cursor?: string
}

export interface PurgeOptions extends DlqFilter {
  readonly olderThan?: string
  readonly resolved?: boolean
  readonly confirm?: boolean
}

export interface ShowOptions {
  readonly pipeline?: string
  readonly dataDir?: string
  readonly raw?: boolean
  readonly hex?: boolean
}

export interface ReplayOptions extends DlqFilter {
  readonly id?: readonly string[]
  readonly map?: string
  readonly param?: readonly string[]
  readonly rate?: number
  readonly batchSize: number
  readonly dryRun?: boolean
  readonly allowDroppedState?: boolean
  readonly takeover?: boolean
}
