/** Lines whose cells stand under each other; two blanks lie between them. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const

/** `512 B`, `1.5 MiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let scaled = bytes / 1024
  let unit = 0
  for (; scaled >= 1024 && unit < UNITS.length - 1; unit++) scaled /= 1024
  return `${scaled.toFixed(1)} ${UNITS[unit]}`
}

/** `340 ms`, `4.2 s`, `3 min`, `2 h`, `5 d`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}

/** Thousands apart by blanks; a formatter of the locale would cost 30 ms at its first use. */
export const grouped = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, ' ')
