import type { FrameFields, FrameStatus } from './frame.ts'
import { timeOf } from './frame-fields.ts'

/** When a frame came, against when it was taken (streams-service.md §1.3). */
export interface Timeliness {
  readonly latencyMs: number
  /** A supplied latency, where an observation time says otherwise. */
  readonly reportedLatencyMs: number | undefined
  readonly observedAt: number | undefined
  readonly status: FrameStatus
}

const RANK: Readonly<Record<FrameStatus, number>> = { ok: 0, late: 1, error: 2 }

/** Judged by the clock of the service alone: nobody calls his own frame punctual. Times are milliseconds since 1970. */
export function timeliness(
  { status, latencyMs, observedAt: given, payload }: FrameFields,
  stream: { readonly slaMs: number; readonly observedPath: string | null },
  at: { readonly receivedAt: number; readonly createdAt: number },
): Timeliness {
  const observedAt = given ?? (stream.observedPath === null ? undefined : observedIn(payload, stream.observedPath))
  const measured = observedAt === undefined ? undefined : Math.max(0, at.receivedAt - observedAt)
  const latency = measured ?? latencyMs ?? Math.max(0, at.createdAt - at.receivedAt)
  const computed: FrameStatus = stream.slaMs > 0 && latency > stream.slaMs ? 'late' : 'ok'
  return {
    latencyMs: latency,
    reportedLatencyMs: measured === undefined ? undefined : latencyMs,
    observedAt,
    status: RANK[computed] > RANK[status] ? computed : status,
  }
}

/** The time at a JSON pointer; undefined when there is none. */
function observedIn(payload: string, pointer: string): number | undefined {
  let value: unknown = JSON.parse(payload)
  for (const part of pointer.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!Object.hasOwn(value, key)) return undefined
    value = (value as Readonly<Record<string, unknown>>)[key]
  }
  return timeOf(value)
}
