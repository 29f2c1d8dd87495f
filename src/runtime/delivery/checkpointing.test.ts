import { expect, test } from 'vitest'
import type { Snapshots } from '../../checkpoint/snapshots.ts'
import { systemClock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'
import { Checkpointing } from './checkpointing.ts'
import type { Cycle } from './cycle.ts'

test('behind a checkpoint that failed none is taken, also where it was asked for before', async () => {
  const outcome = Promise.withResolvers<never>()
  let runs = 0
  const failures: unknown[] = []
  const checkpointing = new Checkpointing({
    cycle: { run: () => (runs++ === 0 ? outcome.promise : Promise.resolve({ id: 2n, epoch: 2n })) } as unknown as Cycle,
    snapshots: {} as Snapshots,
    clock: systemClock,
    intervalMs: null,
    idleMs: 60_000,
    activity: () => 0,
    onFailure: (error) => failures.push(error),
  })
  const first = checkpointing.trigger('manual')
  const second = checkpointing.trigger('manual')
  const error = new HeadraceError('target_exists', 'another file has the name')
  outcome.reject(error)
  await expect(first).rejects.toBe(error)
  await expect(second).rejects.toBe(error)
  await checkpointing.quiet()
  await expect(checkpointing.take({ reason: 'stop', last: true })).rejects.toBe(error)
  expect({ runs, failures }).toEqual({ runs: 1, failures: [error] })
})
