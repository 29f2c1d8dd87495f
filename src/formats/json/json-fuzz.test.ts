import { expect, test } from 'vitest'
import { fuzzJson } from '../../../scripts/fuzz/json.ts'

const SEED = 20_260_131

// Generated and mutated records: JSON.parse decides what is JSON, the twin must agree with the kernel.
test.each([true, false])('20,000 records decode as JSON.parse reads them, strict = %s', (strict) => {
  const report = fuzzJson(20_000, SEED, strict)
  expect(report.failures, `seed ${SEED}`).toEqual([])
  expect(report.wrongRejects).toBe(0)
  expect(report.accepted).toBeGreaterThan(10_000)
  expect(report.kernelValues / (report.kernelValues + report.fallbackValues)).toBeGreaterThan(0.8)
})
