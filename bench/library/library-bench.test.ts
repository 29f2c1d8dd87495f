import { expect, test } from 'vitest'
import { comparisons } from './comparisons.ts'

const UNITS = 8192

test.each(comparisons(UNITS))('$name: both sides do the same work', async ({ ours, peer }) => {
  expect(await ours()(UNITS)).toBe(await peer()(UNITS))
})
