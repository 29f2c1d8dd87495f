import { type DomainCounters, SLA_OUTCOMES, type StreamCounters } from '../../datastreams/counters.ts'
import { FRAME_STATUSES } from '../../datastreams/frame.ts'
import type { LiveCounters } from '../live/live-counters.ts'
import { bounded, type Family, histogramSamples, type Labels, type Sample } from './family.ts'

const KINDS = ['sse', 'ws', 'poll'] as const
const PUBLISHED = ['ok', 'retried', 'dead', 'dropped'] as const

/** What the data-streams service counts (streams-service.md §10). `streamLabels`: all of it by stream. */
export function streamFamilies(counters: DomainCounters, live: LiveCounters, streamLabels: boolean): readonly Family[] {
  const streams = (): Iterable<[string, StreamCounters]> => counters.streams.entries()
  const byStream = (id: string): Labels => (streamLabels ? { stream_id: id } : {})
  const perStream = (
    more: (id: string, of: StreamCounters) => readonly (readonly [Labels, number])[],
  ): readonly Sample[] => bounded([...streams()].flatMap(([id, of]) => more(id, of)))
  const kinds = (counts: Readonly<Record<string, number>>): readonly Sample[] =>
    KINDS.map((kind) => ({ labels: { kind }, value: counts[kind] ?? 0 }))
  return [
    {
      name: 'datastreams_streams_created_total',
      help: 'Streams that were created.',
      type: 'counter',
      samples: () => bounded([...counters.streamsCreated].map(([account_id, value]) => [{ account_id }, value])),
    },
    {
      name: 'datastreams_streams_updated_total',
      help: 'Changes of streams.',
      type: 'counter',
      samples: () => bounded([...counters.streamsUpdated].map(([account_id, value]) => [{ account_id }, value])),
    },
    {
      name: 'datastreams_frames_created_total',
      help: 'Frames that were stored.',
      type: 'counter',
      samples: () => perStream((stream_id, of) => [[{ stream_id }, of.framesCreated]]),
    },
    {
      name: 'datastreams_frame_latency_seconds',
      help: 'Latency of frames.',
      type: 'histogram',
      samples: () => [...streams()].flatMap(([stream_id, of]) => histogramSamples({ stream_id }, of.latency)),
    },
    {
      name: 'headrace_stream_frames_total',
      help: 'Frames that were stored, by their status.',
      type: 'counter',
      samples: () =>
        perStream((id, of) => FRAME_STATUSES.map((status) => [{ ...byStream(id), status }, of.statuses[status]])),
    },
    {
      name: 'headrace_stream_sla_total',
      help: 'What became of frames that were promised.',
      type: 'counter',
      samples: () =>
        perStream((id, of) => SLA_OUTCOMES.map((outcome) => [{ ...byStream(id), outcome }, of.sla[outcome]])),
    },
    {
      name: 'headrace_stream_latency_seconds',
      help: 'Latency of frames.',
      type: 'histogram',
      samples: () =>
        streamLabels
          ? [...streams()].flatMap(([stream_id, of]) => histogramSamples({ stream_id }, of.latency))
          : summed([...streams()].map(([, of]) => of)),
    },
    {
      name: 'headrace_stream_duplicates_total',
      help: 'Repeats of frames that were stored before.',
      type: 'counter',
      samples: () => perStream((id, of) => [[byStream(id), of.duplicates]]),
    },
    {
      name: 'headrace_stream_rejected_total',
      help: 'Frames that were refused.',
      type: 'counter',
      samples: () => bounded([...counters.rejected].map(([reason, value]) => [{ reason }, value])),
    },
    {
      name: 'headrace_stream_operation_seconds',
      help: 'Time of operations.',
      type: 'histogram',
      samples: () =>
        [...counters.operations].flatMap(({ operation, result, seconds }) =>
          histogramSamples({ operation, result }, seconds),
        ),
    },
    {
      name: 'headrace_stream_subscribers',
      help: 'Live readers.',
      type: 'gauge',
      samples: () => kinds(live.subscribers),
    },
    {
      name: 'headrace_stream_lagged_total',
      help: 'Live readers that were dropped because they took nothing.',
      type: 'counter',
      samples: () => kinds(live.lagged),
    },
    {
      name: 'headrace_stream_delivered_total',
      help: 'Frames that were given to live readers.',
      type: 'counter',
      samples: () => kinds(live.delivered),
    },
    {
      name: 'headrace_stream_outbox_entries',
      help: 'Frames that wait for the bus.',
      type: 'gauge',
      samples: () => [{ labels: {}, value: counters.outbox.entries }],
    },
    {
      name: 'headrace_stream_outbox_oldest_seconds',
      help: 'How long the oldest of them waits.',
      type: 'gauge',
      samples: () => [{ labels: {}, value: counters.outbox.oldestSeconds }],
    },
    {
      name: 'headrace_stream_bus_published_total',
      help: 'What became of frames on their way to the bus.',
      type: 'counter',
      samples: () => PUBLISHED.map((result) => ({ labels: { result }, value: counters.busPublished.get(result) ?? 0 })),
    },
  ]
}

/** One histogram of all streams. */
function summed(streams: readonly StreamCounters[]): readonly Sample[] {
  const values = new Map<string, Sample>()
  for (const { latency } of streams) {
    for (const sample of histogramSamples({}, latency)) {
      const key = `${sample.suffix} ${sample.labels['le'] ?? ''}`
      values.set(key, { ...sample, value: sample.value + (values.get(key)?.value ?? 0) })
    }
  }
  return [...values.values()]
}
