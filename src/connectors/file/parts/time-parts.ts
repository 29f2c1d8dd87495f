import { HeadraceError } from '../../../core/errors.ts'

export type TimeUnit = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'date' | 'timestamp'

/** Names that stand in `{…}` alone, and the units they mean. */
export const BRACE_UNITS: Readonly<Record<string, TimeUnit>> = {
  YYYY: 'year',
  MM: 'month',
  DD: 'day',
  HH: 'hour',
  mm: 'minute',
  date: 'date',
  timestamp: 'timestamp',
}

export const isTimeUnit = (name: string): name is TimeUnit =>
  ['year', 'month', 'day', 'hour', 'minute', 'date', 'timestamp'].includes(name)

const MINUTE_MICROS = 60_000_000

/** Wall fields of one minute. */
type Fields = Readonly<Record<Exclude<TimeUnit, 'timestamp'>, string>>

const pad = (n: number, digits: number): string => String(n).padStart(digits, '0')

/** Time parts of paths in one time zone; the offset of a zone never changes inside a minute. */
export class TimeParts {
  readonly #format: Intl.DateTimeFormat | undefined
  #minute = Number.NaN
  #fields: Fields | undefined

  constructor(timeZone: string) {
    if (/^(utc|z)$/i.test(timeZone)) return
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone,
        calendar: 'gregory',
        numberingSystem: 'latn',
        hourCycle: 'h23',
        year: 'numeric',
        month: '2-digit',
        day: '2-digit',
        hour: '2-digit',
        minute: '2-digit',
      })
    } catch (cause) {
      throw new HeadraceError('connector_option_invalid', `option "path_timezone": "${timeZone}" is no time zone`, {
        hint: 'a name such as Europe/Berlin, or UTC',
        cause,
      })
    }
  }

  /** `micros`: since 1970-01-01T00:00:00Z. */
  text(micros: number, unit: TimeUnit): string {
    if (unit === 'timestamp') return String(Math.floor(micros / 1000))
    const minute = Math.floor(micros / MINUTE_MICROS)
    if (minute !== this.#minute || this.#fields === undefined) {
      this.#minute = minute
      this.#fields = this.#fieldsOf(minute)
    }
    return this.#fields[unit]
  }

  #fieldsOf(minute: number): Fields {
    const at = new Date(minute * 60_000)
    let [year, month, day, hour, min] = [
      pad(at.getUTCFullYear(), 4),
      pad(at.getUTCMonth() + 1, 2),
      pad(at.getUTCDate(), 2),
      pad(at.getUTCHours(), 2),
      pad(at.getUTCMinutes(), 2),
    ]
    if (this.#format !== undefined) {
      const parts = new Map(this.#format.formatToParts(at).map(({ type, value }) => [type, value]))
      year = (parts.get('year') ?? '').padStart(4, '0')
      month = parts.get('month')!
      day = parts.get('day')!
      hour = parts.get('hour')!
      min = parts.get('minute')!
    }
    return { year, month, day, hour, minute: min, date: `${year}-${month}-${day}` }
  }
}
