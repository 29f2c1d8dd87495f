import { expect, test } from 'vitest'
import type { Barrier, Element } from '../../core/element.ts'
import type { StateBytes } from '../../core/state-bytes.ts'
import { field, schema, types } from '../../core/types.ts'
import { Union } from '../../operators/union.ts'
import { Stage, stateKey } from './stage.ts'

const union = (inputs: number): Stage => new Stage('a/b', new Union(schema([field('x', types.int)])), inputs)

/** Sends a barrier on some inputs; the states that were kept, and what went on. */
async function barrierOn(stage: Stage, inputs: readonly number[]) {
  const kept = new Map<string, Buffer>()
  const passed: Element['kind'][] = []
  stage.connect({ finished: false, receive: async ({ kind }) => void passed.push(kind) })
  const keep = (key: string, state: StateBytes): void => {
    kept.set(key, Buffer.concat([...state.chunks()]))
  }
  const barrier: Barrier = { kind: 'barrier', epoch: 1n, last: false, keep, prepared: () => undefined }
  for (const input of inputs) await stage.input(input).receive(barrier)
  return { kept, passed }
}

test('a barrier goes on, with the state, when it has come on all inputs', async () => {
  expect(await barrierOn(union(2), [0])).toEqual({ kept: new Map(), passed: [] })
  const { kept, passed } = await barrierOn(union(2), [0, 1])
  expect([[...kept.keys()], passed]).toEqual([['op/a%2Fb/0-255'], ['barrier']])
})

test('inputs keep their watermarks and ends', async () => {
  const before = union(2)
  await before.input(0).receive({ kind: 'watermark', micros: 7 })
  await before.input(1).receive({ kind: 'end' })
  const { kept } = await barrierOn(before, [0, 1])
  const after = union(2)
  after.restore(kept.get(stateKey('a/b'))!)
  const passed: Element[] = []
  after.connect({ finished: false, receive: async (element) => void passed.push(element) })
  await after.input(0).receive({ kind: 'watermark', micros: 7 })
  await after.input(0).receive({ kind: 'watermark', micros: 8 })
  await after.input(0).receive({ kind: 'end' })
  expect(passed).toEqual([
    { kind: 'watermark', micros: 8 },
    { kind: 'watermark', micros: Number.POSITIVE_INFINITY },
    { kind: 'end' },
  ])
})

test('the state of a stage with another number of inputs is refused, and a cut one', async () => {
  const { kept } = await barrierOn(union(2), [0, 1])
  const bytes = kept.get(stateKey('a/b'))!
  expect(() => union(1).restore(bytes)).toThrow('has another number of inputs than 1')
  for (let length = 0; length < bytes.length; length++) {
    expect(() => union(2).restore(bytes.subarray(0, length))).toThrow("operator state 'op/a%2Fb/0-255'")
  }
})
