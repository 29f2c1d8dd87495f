export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Takes one structured line. */
export type Logger = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void

/** One JSON object per line on standard error. */
export const stderrLogger: Logger = (level, message, fields) => {
  const line = JSON.stringify({ level, message, ...fields }, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  process.stderr.write(`${line}\n`)
}
