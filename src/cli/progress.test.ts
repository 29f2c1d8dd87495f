import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import type { Io } from './io.ts'
import { ProgressLine, waitsText } from './progress.ts'

function screen(errIsTerminal: boolean): { readonly io: Io; readonly lines: () => string[] } {
  let text = ''
  const io = {
    errIsTerminal,
    paint: (_: unknown, words: string) => words,
    err: (words: string) => {
      text += words
    },
  } as unknown as Io
  return { io, lines: () => text.split('\r\u001b[K').slice(1) }
}

test('the line tells rows, and what is waited for while none come', async () => {
  const clock = new ManualClock()
  const { io, lines } = screen(true)
  const line = new ProgressLine(clock, io)
  clock.advance(200)
  line.show!({ rowsIn: 2000, rowsOut: 0, lateRows: 1, deadLetters: 0 })
  const checkpoint = { next_ms: 4200, phase: 'idle' }
  const waits = [{ who: 'sources', cause: 'no_input', detail: '', since_ms: 3000 }]
  line.follow!({ status: () => ({ checkpoint, waits }) } as never)
  clock.advance(500)
  await Promise.resolve()
  await Promise.resolve()
  clock.advance(500)
  await Promise.resolve()
  await Promise.resolve()
  line.close()
  const [first, second, ...more] = lines()
  expect(first).toBe('2 000 rows · 10 000/s · late 1')
  expect(second).toMatch(/^2 000 rows · \d \d{3}\/s · late 1 · no input for 3\.0 s · next commit in 4\.2 s$/)
  expect(more.at(-1)).toBe('')
})

test('where there is no terminal nothing is shown', () => {
  const line = new ProgressLine(new ManualClock(), screen(false).io)
  expect([line.show, line.follow]).toEqual([undefined, undefined])
})

test('a window that is open is named; no commit is promised while one runs', () => {
  const detail = 'windows that end after 2026-01-01T00:00:00.000Z are open until later event times come'
  const waits = [{ who: 'windows', cause: 'window_open', detail, since_ms: 0 }] as const
  expect(waitsText({ checkpoint: { next_ms: 10, phase: 'commit' } as never, waits })).toEqual([
    'windows that end after 2026-01-01T00:00:00.000Z are open',
  ])
})
