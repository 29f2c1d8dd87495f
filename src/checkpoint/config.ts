import { fileURLToPath } from 'node:url'
import { described } from '../core/option-names.ts'
import type { OptionSpec } from '../core/option-types.ts'
import { choice, integer, text } from '../core/options.ts'
import { didYouMean } from '../core/suggest.ts'
import { schemeOf } from '../core/uri.ts'
import { CheckpointError } from './error.ts'

/** The settings of checkpoints, as files and SQL spell them. */
export const checkpointOptions = {
  interval_ms: integer('Milliseconds between automatic checkpoints; without it they are manual.'),
  wal_mode: choice(['async', 'sync'], 'Durability of the write-ahead log; without it there is none.'),
  data_dir: text('Local folder for snapshots and log; without it they are in memory only.'),
  changelog_capacity: integer('Entries of the change ring; without it there is none.'),
  max_retained: integer('Epochs kept; without it all are.'),
  overflow_policy: choice(['drop_new', 'overwrite_oldest'], 'What a full change ring does.', { default: 'drop_new' }),
  storage: text('Snapshot store other than data_dir: memory: or file:///dir.'),
  align_timeout_ms: integer('Limit of the barrier in milliseconds.', { default: 30_000 }),
  prepare_timeout_ms: integer('Limit of the preparation of the sinks in milliseconds.', { default: 30_000 }),
  persist_timeout_ms: integer('Limit of the storing of a snapshot in milliseconds.', { default: 120_000 }),
  commit_warn_ms: integer('Milliseconds after which a commit that is not complete gives an alarm.', {
    default: 60_000,
  }),
  max_checkpoint_bytes: integer('Bytes above which a checkpoint is rejected; 80 % of it give a warning.'),
  wal_sync_interval_ms: integer('Milliseconds between flushes of an async write-ahead log.', { default: 1000 }),
  wal_segment_bytes: integer('Bytes after which the write-ahead log begins a new segment.', { default: 67_108_864 }),
} as const satisfies OptionSpec

type CheckpointOption = keyof typeof checkpointOptions

/** Most entries of a change ring. */
const CHANGELOG_MAX = 4_194_304

/** The settings as the library spells them; what is absent has its default. */
export interface CheckpointSettings {
  readonly intervalMs?: number | null | undefined
  readonly walMode?: 'async' | 'sync' | null | undefined
  readonly dataDir?: string | URL | null | undefined
  readonly changelogCapacity?: number | null | undefined
  readonly maxRetained?: number | null | undefined
  readonly overflowPolicy?: 'drop_new' | 'overwrite_oldest' | undefined
  readonly storage?: string | URL | null | undefined
  readonly alignTimeoutMs?: number | undefined
  readonly prepareTimeoutMs?: number | undefined
  readonly persistTimeoutMs?: number | undefined
  readonly commitWarnMs?: number | undefined
  readonly maxCheckpointBytes?: number | null | undefined
  readonly walSyncIntervalMs?: number | undefined
  readonly walSegmentBytes?: number | undefined
}

const camelOf = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const invalid = (name: string, detail: string, hint?: string): CheckpointError =>
  new CheckpointError('InvalidConfig', detail, { hint, at: { kind: 'pointer', pointer: `/${name}` } })

/** Schemes of the stores that every build has. */
export const builtinSchemes: ReadonlySet<string> = new Set(['memory', 'file'])

/** How checkpoints are taken and kept. Without any setting: manual, in memory, all kept. */
export class StreamCheckpointConfig {
  readonly intervalMs: number | null
  readonly walMode: 'async' | 'sync' | null
  readonly dataDir: string | null
  readonly changelogCapacity: number | null
  readonly maxRetained: number | null
  readonly overflowPolicy: 'drop_new' | 'overwrite_oldest'
  readonly storage: string | null
  readonly alignTimeoutMs: number
  readonly prepareTimeoutMs: number
  readonly persistTimeoutMs: number
  readonly commitWarnMs: number
  readonly maxCheckpointBytes: number | null
  readonly walSyncIntervalMs: number
  readonly walSegmentBytes: number
  readonly #unknown: readonly string[]

  constructor(settings: CheckpointSettings = {}) {
    if (typeof settings !== 'object' || settings === null) {
      throw new CheckpointError('InvalidConfig', `the settings must be an object, not ${described(settings)}`)
    }
    const given = <K extends keyof CheckpointSettings, V>(name: K, fallback: V) => settings[name] ?? fallback
    const { dataDir, storage } = settings
    const spec = checkpointOptions
    this.intervalMs = given('intervalMs', null) as number | null
    this.walMode = given('walMode', null) as 'async' | 'sync' | null
    this.dataDir = dataDir instanceof URL ? fileURLToPath(dataDir) : (dataDir ?? null)
    this.changelogCapacity = given('changelogCapacity', null) as number | null
    this.maxRetained = given('maxRetained', null) as number | null
    this.overflowPolicy = settings.overflowPolicy ?? spec.overflow_policy.default!
    this.storage = storage instanceof URL ? storage.href : (storage ?? null)
    this.alignTimeoutMs = settings.alignTimeoutMs ?? spec.align_timeout_ms.default!
    this.prepareTimeoutMs = settings.prepareTimeoutMs ?? spec.prepare_timeout_ms.default!
    this.persistTimeoutMs = settings.persistTimeoutMs ?? spec.persist_timeout_ms.default!
    this.commitWarnMs = settings.commitWarnMs ?? spec.commit_warn_ms.default!
    this.maxCheckpointBytes = given('maxCheckpointBytes', null) as number | null
    this.walSyncIntervalMs = settings.walSyncIntervalMs ?? spec.wal_sync_interval_ms.default!
    this.walSegmentBytes = settings.walSegmentBytes ?? spec.wal_segment_bytes.default!
    const known = new Set(Object.keys(spec).map(camelOf))
    this.#unknown = Object.keys(settings).filter((key) => !known.has(key))
  }

  /** From the keys of a configuration file or of `WITH (…)`, in either spelling; `validate` reports unknown keys. */
  static fromOptions(options: Readonly<Record<string, unknown>>): StreamCheckpointConfig {
    const settings = Object.entries(options).map(([key, value]) => {
      const option = Object.hasOwn(checkpointOptions, key) ? checkpointOptions[key as CheckpointOption] : undefined
      const number = option?.type === 'int' && typeof value === 'string' && value.trim() !== ''
      // A key that is not known keeps its spelling, for the message.
      return [option === undefined ? key : camelOf(key), number ? Number(value) : value]
    })
    return new StreamCheckpointConfig(Object.fromEntries(settings) as CheckpointSettings)
  }

  /** Throws `InvalidConfig` for the first rule that is broken. `schemes` are those of the stores there are. */
  validate(schemes: ReadonlySet<string> = builtinSchemes): void {
    const { walMode, dataDir, changelogCapacity, intervalMs, maxRetained } = this
    if (walMode !== null && dataDir === null) throw invalid('wal_mode', 'WAL mode requires data_dir to be set')
    if (changelogCapacity === 0) throw invalid('changelog_capacity', 'changelog_capacity must be > 0')
    if (changelogCapacity !== null && changelogCapacity > CHANGELOG_MAX) {
      throw invalid('changelog_capacity', `changelog_capacity must be <= ${CHANGELOG_MAX}`)
    }
    if (intervalMs === 0) throw invalid('interval_ms', 'interval_ms must be > 0', 'leave it out for manual checkpoints')
    if (maxRetained === 0) throw invalid('max_retained', 'max_retained must be > 0', 'leave it out to keep all')
    this.#validateTypes()
    this.#validateStorage(schemes)
    const unknown = this.#unknown[0]
    if (unknown === undefined) return
    const names = Object.keys(checkpointOptions)
    throw invalid(unknown, `unknown key: ${unknown}`, didYouMean(unknown, names) ?? `keys: ${names.join(', ')}`)
  }

  #validateTypes(): void {
    for (const [name, option] of Object.entries(checkpointOptions)) {
      const value: unknown = this[camelOf(name) as keyof CheckpointSettings]
      if (value === null) continue
      if (option.type === 'int') {
        if (Number.isSafeInteger(value) && (value as number) >= 0) continue
        throw invalid(name, `${name} must be a non-negative integer`)
      }
      if (option.choices !== undefined && !(option.choices as readonly unknown[]).includes(value)) {
        throw invalid(name, `${name} must be one of: ${option.choices.join(', ')}`)
      }
      if (typeof value !== 'string') throw invalid(name, `${name} must be a text`)
    }
  }

  #validateStorage(schemes: ReadonlySet<string>): void {
    const scheme = this.storage === null ? undefined : schemeOf(this.storage)
    if (scheme === undefined || schemes.has(scheme)) return
    const hint = didYouMean(scheme, schemes) ?? `stores: a path, ${[...schemes].map((one) => `${one}:`).join(', ')}`
    throw invalid('storage', `unknown checkpoint storage: ${scheme}`, hint)
  }
}
