import type { Option } from '../../core/option-types.ts'
import { bool, byteCount, choice, duration, integer, list, secret, text } from '../../core/options.ts'

const MiB = 1024 * 1024

/**
 * Every setting of `headrace serve`: its path in the configuration file, which in upper case behind `HEADRACE_` is its
 * name in the environment (streams-service.md §11, resilience.md §13).
 */
export const settingSpec = {
  data_dir: text('folder of all that is kept', { default: '.headrace' }),
  dev: bool('no credentials, this machine only, tenant and account `default`', { default: false }),
  'server.host': text('address to listen on', { default: '127.0.0.1' }),
  'server.port': integer('port to listen on; 0: any that is free', { default: 8080, min: 0, max: 65_535 }),
  'server.shutdown_timeout': duration('how long a stop may take', { default: 30_000, min: 0 }),
  'log.level': choice(['error', 'warn', 'info', 'debug'], 'what is logged', { default: 'info' }),
  'log.format': choice(['json', 'pretty'], 'how it is written; json unless a terminal reads it', {}),
  'metrics.stream_labels': bool('labels `stream_id` also beyond the contract metrics', { default: true }),
  'streams.store': text('where frames are kept: file:<folder>, memory: (default: file:<data_dir>/streams)', {}),
  'streams.bus': text('where frames are published: memory:, or none', { default: 'memory:' }),
  'streams.bus.mode': choice(['outbox', 'direct'], 'after the commit, or before it', { default: 'outbox' }),
  'streams.bus.outbox_max': integer('frames that may wait for the bus', { default: 1_000_000, min: 1 }),
  'streams.bus.on_full': choice(['block', 'drop_oldest'], 'when so many wait', { default: 'block' }),
  'streams.max_body_bytes': byteCount('of one request', { default: 10 * MiB, min: 1024 }),
  'streams.max_frame_bytes': byteCount('of one frame', { default: MiB, min: 256 }),
  'streams.bus_max_bytes': byteCount('of one push', { default: MiB, min: 256 }),
  'streams.default_limit': integer('entries of a page', { default: 25, min: 1, max: 500 }),
  'streams.max_limit': integer('entries of a page at most', { default: 500, min: 1, max: 500 }),
  'streams.group_commit_ms': duration('how long the first frame of a commit waits for others', { default: 2, min: 0 }),
  'streams.group_commit_frames': integer('frames of which a commit waits no longer', { default: 1000, min: 1 }),
  'streams.durability': choice(['commit', 'relaxed'], 'answer after the flush, or after the write', {
    default: 'commit',
  }),
  'streams.idempotency_hours': integer('how long answers are kept for repeats', { default: 24, min: 1, max: 720 }),
  'streams.require_if_match': bool('changes must name the version they change', { default: false }),
  'streams.deny_inactive': bool('new streams do not activate themselves', { default: false }),
  'streams.heartbeat_s': integer('seconds between two signs of life', { default: 15, min: 1 }),
  'streams.sse_max_minutes': integer('how long a live connection lasts', { default: 60, min: 1 }),
  'streams.long_poll_max_s': integer('longest wait of a long-poll', { default: 60, min: 1 }),
  'streams.reader_stall_s': integer('a reader that takes nothing for so long is dropped', { default: 60, min: 1 }),
  'streams.retention.max_age': duration('age of frames of streams that name none', { min: 1 }),
  'streams.retention.max_frames': integer('frames of streams that name no limit', { min: 1 }),
  'streams.retention.max_bytes': byteCount('bytes of streams that name no limit', { min: 1 }),
  'streams.auth.keys': bool('API keys', { default: true }),
  'streams.auth.pepper': secret('what the hashes of keys are made with; required outside of dev', {}),
  'streams.auth.admin_key': secret('an API key that may do everything in its tenant, made at the start', {}),
  'streams.auth.admin_tenant': text('the tenant of that key', { default: 'default' }),
  'streams.auth.require_tenant_header': bool('requests must send X-Tenant-ID', { default: false }),
  'streams.cors.origins': list('origins whose pages may call', { default: [] }),
} satisfies Readonly<Record<string, Option<unknown>>>

type Value<O> = O extends Option<infer T> ? T : never
export type SettingName = keyof typeof settingSpec
export type Settings = { readonly [N in SettingName]: Value<(typeof settingSpec)[N]> }

/** Where a value comes from; the first of them that has it counts. */
export type Origin = 'command line' | 'environment' | 'profile' | 'file' | 'default'

export const environmentName = (name: string): string => `HEADRACE_${name.toUpperCase().replaceAll('.', '_')}`
