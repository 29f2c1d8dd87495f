import { expect, test } from 'vitest'
import { batchBench } from './batch-bench.ts'

test('both decoders come to the same sum', () => {
  expect(batchBench.run({ check: false, records: 20, pairs: 1 })).toBe(true)
})
