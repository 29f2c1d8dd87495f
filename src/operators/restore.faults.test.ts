import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { freshSeed, Random } from '../core/random.ts'
import { AssignWatermarks } from './assign-watermarks.ts'
import type { Operator, OperatorContext } from './operator.ts'
import { type OperatorCase, operatorCases } from './testing/operator-cases.ts'
import { testContext } from './testing/operator-context.ts'
import { randomSteps, takeStep } from './testing/operator-input.ts'
import { isRefused, restoreFrom, sameState, stateBytes } from './testing/state-bytes.ts'

const ROUNDS = 1

const errors: Record<OperatorContext['mode'], string[]> = { compiled: [], interpreted: [] }
const contexts = {
  compiled: testContext('compiled', errors.compiled),
  interpreted: testContext('interpreted', errors.interpreted),
}

/** As the source says what splits there are, also those that a state knows. */
function addSplits(operator: Operator): void {
  if (operator instanceof AssignWatermarks) for (const id of ['a', 'b', 'c']) operator.addSplit(id)
}

const bytesOf = (operator: Operator): Buffer => stateBytes((out) => operator.snapshot?.(out))

function check(one: OperatorCase, from: OperatorContext, to: OperatorContext, random: Random, message: string): void {
  const { schema } = one.input
  const steps = randomSteps(one.input, random)
  const at = random.below(steps.length)
  using original = one.make(from)
  using restored = one.make(to)
  addSplits(original)
  for (const step of steps.slice(0, at)) takeStep(original, step, schema, from)
  const bytes = bytesOf(original)
  restoreFrom(bytes, (state) => restored.restore?.(state))
  addSplits(restored)
  expect(sameState(bytesOf(restored), bytes), `${message}: bytes at ${at}`).toBe(true)
  for (const list of Object.values(errors)) list.length = 0
  for (const [i, step] of steps.slice(at).entries()) {
    if (step.kind === 'watermark' && step.micros === Number.POSITIVE_INFINITY) {
      const same = sameState(bytesOf(restored), bytesOf(original))
      expect(same, `${message}: bytes before the end, restored at ${at}`).toBe(true)
    }
    const outputs = takeStep(restored, step, schema, to)
    const expected = takeStep(original, step, schema, from)
    // `toEqual` is for the message: it takes ten times as long.
    if (isDeepStrictEqual(outputs, expected)) continue
    expect(outputs, `${message}: step ${at + i}, restored at ${at}`).toEqual(expected)
  }
  expect(sameState(bytesOf(restored), bytesOf(original)), `${message}: bytes in the end, restored at ${at}`).toBe(true)
  expect(errors[to.mode], message).toEqual(errors[from.mode])
  if (original.snapshot !== undefined) refusesTruncated(one, bytes, to, random)
}

function refusesTruncated(one: OperatorCase, bytes: Buffer, context: OperatorContext, random: Random): void {
  const lengths = [0, 1, bytes.length - 1, ...Array.from({ length: 8 }, () => random.below(bytes.length))]
  for (const length of lengths) {
    using operator = one.make(context)
    const refused = isRefused(bytes.subarray(0, length), (state) => operator.restore!(state))
    expect(refused, `${one.name}, ${length} of ${bytes.length}, seed ${random.seed}`).toBe(true)
  }
}

test.each([
  ['compiled', 'interpreted'],
  ['interpreted', 'compiled'],
] as const)('every operator that was %s goes on %s from its state', (from, to) => {
  for (const one of operatorCases) {
    for (let round = 0; round < ROUNDS; round++) {
      const seed = freshSeed()
      check(one, contexts[from], contexts[to], new Random(seed), `${one.name}, seed ${seed}`)
    }
  }
})

test('a state of another version is refused', () => {
  for (const one of operatorCases) {
    using operator = one.make(contexts.compiled)
    if (operator.snapshot === undefined) continue
    const bytes = bytesOf(operator)
    bytes[0]! += 1
    expect(
      isRefused(bytes, (state) => operator.restore!(state)),
      one.name,
    ).toBe(true)
  }
})

test('there is a case for every operator', () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => /(?<!\.test)\.ts$/.test(file) && !file.startsWith('testing'))
  const names = sources.flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8')
    return [...text.matchAll(/class (\w+) implements Operator\b/g)].map(([, name]) => name!)
  })
  expect(names.length).toBeGreaterThan(5)
  expect(names.filter((name) => !operatorCases.some((one) => one.name.startsWith(name)))).toEqual([])
})
