import { spawnSync } from 'node:child_process'
import { ServiceProcess, used } from './service-process.ts'

// A live scrape goes through `promtool check metrics` (apt: prometheus), and holds every promised name.
const NAMES = [
  'datastreams_streams_created_total',
  'datastreams_streams_updated_total',
  'datastreams_frames_created_total',
  'datastreams_frame_latency_seconds_bucket',
  'headrace_stream_frames_total',
  'headrace_stream_sla_total',
  'headrace_stream_latency_seconds_bucket',
  'headrace_stream_duplicates_total',
  'headrace_stream_rejected_total',
  'headrace_stream_operation_seconds_bucket',
  'headrace_stream_subscribers',
  'headrace_stream_lagged_total',
  'headrace_stream_delivered_total',
  'headrace_stream_outbox_entries',
  'headrace_stream_outbox_oldest_seconds',
  'headrace_stream_bus_published_total',
  'headrace_http_requests_total',
  'headrace_http_request_seconds_bucket',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_eventloop_delay_seconds',
  'nodejs_gc_seconds_bucket',
  'nodejs_heap_bytes',
  'headrace_build_info',
  'headrace_config_reloads_total',
]

await using service = await ServiceProcess.start()
await used(service.url)
const text = await (await fetch(`${service.url}/metrics`)).text()
const missing = NAMES.filter((name) => !text.includes(`# TYPE ${name.replace(/_bucket$/, '')} `))
const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
const said = error === undefined ? `${stdout}${stderr}`.trim() : String(error)
process.stdout.write(
  `metrics: ${NAMES.length - missing.length} of ${NAMES.length} names; promtool ${status === 0 && said === '' ? 'clean' : `says:\n${said}`}\n`,
)
if (missing.length > 0) process.stdout.write(`  missing: ${missing.join(', ')}\n`)
process.exitCode = missing.length > 0 || status !== 0 || said !== '' ? 1 : 0
