import { styleText } from 'node:util'
import type { Style } from './style.ts'

/** Where a command writes: data on `out`, all else on `err`. */
export interface Io {
  readonly out: (text: string) => void
  readonly outBytes: (bytes: Uint8Array) => void
  readonly err: (text: string) => void
  readonly outIsTerminal: boolean
  readonly errIsTerminal: boolean
  /** Colours text for `err`, or leaves it as it is. */
  readonly paint: (style: Style, text: string) => string
  readonly signal: AbortSignal
}

/** The process's own streams. `color`: auto follows the terminal and NO_COLOR. */
export function processIo(color: 'auto' | 'always' | 'never', signal: AbortSignal): Io {
  const noColor = process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== ''
  const colored = color === 'always' || (color === 'auto' && process.stderr.isTTY === true && !noColor)
  return {
    out: (text) => {
      process.stdout.write(text)
    },
    outBytes: (bytes) => {
      process.stdout.write(bytes)
    },
    err: (text) => {
      process.stderr.write(text)
    },
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    paint: (style, text) => (colored ? styleText(STYLES[style], text, { validateStream: false }) : text),
    signal,
  }
}

const STYLES = { error: 'red', warning: 'yellow', quiet: 'gray', strong: 'bold' } as const
