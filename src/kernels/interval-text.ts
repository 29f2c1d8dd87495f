import type { Interval } from '../core/values.ts'

const PATTERN =
  /^(-?)P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)W)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:\.(\d{1,6}))?S)?)?$/

/** ISO 8601 duration (`P1DT2H`, parts may be negative); undefined when it is none or a part is no safe integer. */
export function parseIntervalText(text: string): Interval | undefined {
  const match = PATTERN.exec(text)
  if (match === null || !/\d/.test(text) || text.endsWith('T')) return undefined
  const part = (index: number): number => Number(match[index] ?? 0)
  const seconds = (part(9) * 1_000_000 + Number((match[10] ?? '').padEnd(6, '0'))) * (match[8] === '-' ? -1 : 1)
  const sign = match[1] === '-' ? -1 : 1
  const months = sign * (part(2) * 12 + part(3)) + 0
  const days = sign * (part(4) * 7 + part(5)) + 0
  const micros = sign * (part(6) * 3_600_000_000 + part(7) * 60_000_000 + seconds) + 0
  const safe = Number.isSafeInteger(months) && Number.isSafeInteger(days) && Number.isSafeInteger(micros)
  return safe ? { months, days, micros } : undefined
}

/** ISO 8601 duration: `P1Y2M3DT4H5M6.5S`, zero is `PT0S`. */
export function formatInterval(interval: Interval): string {
  const years = Math.trunc(interval.months / 12)
  const months = interval.months % 12
  let text = 'P'
  if (years !== 0) text += `${years}Y`
  if (months !== 0) text += `${months}M`
  if (interval.days !== 0) text += `${interval.days}D`
  const time = timeText(interval.micros)
  if (time !== '') text += `T${time}`
  return text === 'P' ? 'PT0S' : text
}

function timeText(micros: number): string {
  const hours = Math.trunc(micros / 3_600_000_000)
  const minutes = Math.trunc((micros % 3_600_000_000) / 60_000_000)
  const rest = micros % 60_000_000
  let text = ''
  if (hours !== 0) text += `${hours}H`
  if (minutes !== 0) text += `${minutes}M`
  if (rest === 0) return text
  const size = Math.abs(rest)
  const fraction = String(size % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${text}${rest < 0 ? '-' : ''}${Math.trunc(size / 1_000_000)}${fraction === '' ? '' : `.${fraction}`}S`
}
