import { pino } from 'pino'
import type { Clock } from '../core/clock.ts'
import type { Log, LogFields } from './log.ts'

export interface LogOptions {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
  readonly format: 'json' | 'pretty'
  readonly clock: Clock
  readonly write: (text: string) => void
}

/** Equal lines of one minute; beyond it they are counted. */
const EQUAL_MAX = 10
const MINUTE_MS = 60_000
const SENTENCES_MAX = 1000

/** One JSON object a line with `ts`, `level`, `msg` (resilience.md §9); `pretty`: for a terminal. */
export function createLog({ level, format, clock, write }: LogOptions): Log {
  const stream = { write: format === 'json' ? write : (line: string) => write(prettyLine(line)) }
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'msg',
      timestamp: () => `,"ts":"${new Date(clock.nowMicros() / 1000).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  )
  return new FoldedLog(logger, clock)
}

/** Passes on the first of equal sentences and tells of the others how many they were. */
class FoldedLog implements Log {
  readonly #log: Log
  readonly #clock: Clock
  readonly #seen = new Map<string, number>()
  #from = 0

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  error(fields: LogFields, message: string): void {
    this.#write('error', fields, message)
  }

  warn(fields: LogFields, message: string): void {
    this.#write('warn', fields, message)
  }

  info(fields: LogFields, message: string): void {
    // What is audited is never folded.
    if ('audit' in fields) this.#log.info(fields, message)
    else this.#write('info', fields, message)
  }

  debug(fields: LogFields, message: string): void {
    this.#write('debug', fields, message)
  }

  #write(level: keyof Log, fields: LogFields, message: string): void {
    const now = this.#clock.elapsedMs()
    if (now - this.#from >= MINUTE_MS || this.#seen.size >= SENTENCES_MAX) this.#tell(now)
    const key = `${level} ${message}`
    const count = (this.#seen.get(key) ?? 0) + 1
    this.#seen.set(key, count)
    if (count <= EQUAL_MAX) this.#log[level](fields, message)
  }

  #tell(now: number): void {
    for (const [key, count] of this.#seen) {
      if (count > EQUAL_MAX) this.#log.warn({ folded: count - EQUAL_MAX }, `again: ${key.slice(key.indexOf(' ') + 1)}`)
    }
    this.#seen.clear()
    this.#from = now
  }
}

function prettyLine(line: string): string {
  const { ts, level, msg, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  return `${String(ts)} ${String(level).padEnd(5)} ${String(msg)}${rest.length === 0 ? '' : ` ${rest.join(' ')}`}\n`
}
