import { parseDuration } from '../core/option-text.ts'

const HERTZ = /^(\d+(?:\.\d+)?)\s*hz$/i
const DAY = /^(\d+(?:\.\d+)?)d$/i

/**
 * Milliseconds between two frames that a text promises: `100ms`, `1s`, `5m`, `1h`, `1d`, `10hz`, an ISO-8601 duration.
 * Null for any other text: then nothing is known to be missing (streams-service.md §1.1).
 */
export function frequencyMs(text: string): number | null {
  const hertz = HERTZ.exec(text)
  if (hertz !== null) return positive(1000 / Number(hertz[1]))
  const days = DAY.exec(text)
  if (days !== null) return positive(Number(days[1]) * 86_400_000)
  // A number alone promises nothing: it has no unit.
  return /^\d+$/.test(text) ? null : positive(parseDuration(text) ?? 0)
}

const positive = (ms: number): number | null => (Number.isFinite(ms) && ms > 0 ? ms : null)
