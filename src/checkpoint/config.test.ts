import { expect, test } from 'vitest'
import { type CheckpointSettings, StreamCheckpointConfig } from './config.ts'
import { CheckpointError } from './error.ts'

test('no argument: valid, manual, in memory, with the defaults of the table', () => {
  const config = new StreamCheckpointConfig()
  config.validate()
  expect({ ...config }).toEqual({
    intervalMs: null,
    walMode: null,
    dataDir: null,
    changelogCapacity: null,
    maxRetained: null,
    overflowPolicy: 'drop_new',
    storage: null,
    alignTimeoutMs: 30_000,
    prepareTimeoutMs: 30_000,
    persistTimeoutMs: 120_000,
    commitWarnMs: 60_000,
    maxCheckpointBytes: null,
    walSyncIntervalMs: 1000,
    walSegmentBytes: 67_108_864,
  })
})

const faultOf = (config: StreamCheckpointConfig): CheckpointError => {
  try {
    config.validate()
  } catch (error) {
    if (error instanceof CheckpointError) return error
    throw error
  }
  throw new Error('the configuration is valid')
}

const rules: [CheckpointSettings, string][] = [
  [{ walMode: 'sync' }, 'WAL mode requires data_dir to be set'],
  [{ changelogCapacity: 0 }, 'changelog_capacity must be > 0'],
  [{ changelogCapacity: 4_194_305 }, 'changelog_capacity must be <= 4194304'],
  [{ changelogCapacity: Number.POSITIVE_INFINITY }, 'changelog_capacity must be <= 4194304'],
  [{ intervalMs: 0 }, 'interval_ms must be > 0'],
  [{ maxRetained: 0 }, 'max_retained must be > 0'],
  [{ intervalMs: -1 }, 'interval_ms must be a non-negative integer'],
  [{ maxRetained: 1.5 }, 'max_retained must be a non-negative integer'],
  [{ commitWarnMs: Number.NaN }, 'commit_warn_ms must be a non-negative integer'],
  [{ walSegmentBytes: Number.POSITIVE_INFINITY }, 'wal_segment_bytes must be a non-negative integer'],
  [{ storage: 'tape://x' }, 'unknown checkpoint storage: tape'],
]

test.each(rules)('%j is refused', (settings, detail) => {
  expect(faultOf(new StreamCheckpointConfig(settings))).toMatchObject({
    kind: 'InvalidConfig',
    code: 'checkpoint_invalid_config',
    detail,
    message: `invalid checkpoint config: ${detail}`,
    exitCode: 2,
  })
})

test('the first failing rule wins', () => {
  let settings: CheckpointSettings = {}
  for (const [i, [bad, detail]] of [...rules].reverse().entries()) {
    settings = { ...settings, ...bad }
    if ([3, 7].includes(rules.length - 1 - i)) continue
    expect(faultOf(new StreamCheckpointConfig(settings)).detail).toBe(detail)
  }
})

test.each([
  [{ dataDir: '/x', walMode: 'async' }],
  [{ changelogCapacity: 4_194_304 }],
  [{ storage: 'memory:' }],
  [{ storage: 'file:///x' }],
  [{ storage: '/x' }],
  [{ storage: 'C:\\x' }],
  [{ alignTimeoutMs: 0 }],
] satisfies [CheckpointSettings][])('%j is valid', (settings) => {
  new StreamCheckpointConfig(settings).validate()
})

test('a store that is registered is known', () => {
  new StreamCheckpointConfig({ storage: 'tape:x' }).validate(new Set(['tape']))
})

test('options of files and SQL: numbers as text, unknown keys with the nearest one', () => {
  const config = StreamCheckpointConfig.fromOptions({ interval_ms: '250', storage: 'memory:', max_retained: 3 })
  config.validate()
  expect(config).toMatchObject({ intervalMs: 250, storage: 'memory:', maxRetained: 3 })
  expect(faultOf(StreamCheckpointConfig.fromOptions({ intervall_ms: 5 }))).toMatchObject({
    detail: 'unknown key: intervall_ms',
    hint: 'did you mean "interval_ms"?',
    at: { kind: 'pointer', pointer: '/intervall_ms' },
  })
  expect(faultOf(StreamCheckpointConfig.fromOptions({ colour: 1, interval_ms: 0 })).detail).toBe(
    'interval_ms must be > 0',
  )
  expect(faultOf(StreamCheckpointConfig.fromOptions({ interval_ms: 'soon' })).detail).toBe(
    'interval_ms must be a non-negative integer',
  )
  expect(faultOf(StreamCheckpointConfig.fromOptions({ wal_mode: 'fast', data_dir: '/x' })).detail).toBe(
    'wal_mode must be one of: async, sync',
  )
})

test('folders and stores may be given as URL', () => {
  const config = new StreamCheckpointConfig({ dataDir: new URL('file:///a%20b'), storage: new URL('memory:') })
  expect(config).toMatchObject({ dataDir: '/a b', storage: 'memory:' })
})

test('two errors are equal when kind and detail are equal', () => {
  const error = new CheckpointError('IoError', 'a')
  expect(error.equals(new CheckpointError('IoError', 'a', { hint: 'other' }))).toBe(true)
  expect(error.equals(new CheckpointError('IoError', 'b'))).toBe(false)
  expect(error.equals(new CheckpointError('Timeout'))).toBe(false)
  expect(error.equals(new Error(error.message))).toBe(false)
})

test.each([
  ['Disabled', 'checkpointing is disabled', 'checkpoint_disabled'],
  ['DataDirRequired', 'data directory is required', 'checkpoint_data_dir_required'],
  ['WalRequiresCheckpoint', 'WAL mode requires checkpointing', 'checkpoint_wal_requires_checkpoint'],
  ['NoCheckpoint', 'no checkpoint available', 'checkpoint_no_checkpoint'],
  ['Timeout', 'checkpoint operation timed out', 'checkpoint_timeout'],
  ['InvalidConfig', 'invalid checkpoint config: $& x', 'checkpoint_invalid_config'],
  ['IoError', 'checkpoint I/O error: $& x', 'checkpoint_io_error'],
] as const)('%s has its message and code', (kind, message, code) => {
  const error = new CheckpointError(kind, message.includes('$&') ? '$& x' : undefined)
  expect(error).toMatchObject({ kind, message, code, name: 'CheckpointError' })
  expect(error.hint).toBeTruthy()
})
