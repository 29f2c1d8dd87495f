import { expect, test } from 'vitest'
import { OffsetLedger } from './offsets.ts'

const offsets = (ledger: OffsetLedger) => ledger.due().map(({ offset, partition }) => `${partition ?? ''}:${offset}`)

test.each(['cumulative', 'individual'] as const)(
  'what is sent while a flush runs is not covered by it (%s)',
  (mode) => {
    const ledger = new OffsetLedger(mode, true)
    ledger.done('1', 'a')
    const flushed = ledger.flushing()
    ledger.done('2', 'a')
    expect(offsets(ledger)).toEqual([])
    flushed()
    expect(offsets(ledger)).toEqual(['a:1'])
    ledger.flushing()()
    expect(offsets(ledger)).toEqual(mode === 'cumulative' ? ['a:2'] : ['a:1', 'a:2'])
  },
)

test('what is done while a commit runs waits for the next', () => {
  const ledger = new OffsetLedger('cumulative', false)
  ledger.done('1', undefined)
  const [commit] = ledger.due()
  ledger.done('2', undefined)
  ledger.committed(commit!)
  expect([offsets(ledger), ledger.waiting]).toEqual([[':2'], 1])
})

test('nothing behind a failed message is due, in its partition', () => {
  const ledger = new OffsetLedger('cumulative', false)
  expect(ledger.done('1', 'a')).toBe(true)
  ledger.failed('a')
  expect([ledger.done('3', 'a'), ledger.done('7', 'b'), ledger.behind('a'), ledger.behind('b')]).toEqual([
    false,
    true,
    1,
    0,
  ])
  expect(offsets(ledger)).toEqual(['a:1', 'b:7'])
})
