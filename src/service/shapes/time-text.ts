let lastMs = Number.NaN
let lastText = ''

/** RFC 3339 with milliseconds. The text of the last one is kept: frames of one commit have one time. */
export function isoTime(ms: number): string {
  if (ms === lastMs) return lastText
  lastMs = ms
  lastText = new Date(ms).toISOString()
  return lastText
}
