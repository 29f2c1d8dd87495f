import { expect, test } from 'vitest'
import { WorkerMemory } from '../../core/memory.ts'
import { Random } from '../../core/random.ts'
import { KeyWriter } from '../keys/key-writer.ts'
import { newIntake } from './row-intake.ts'
import { WindowRuns } from './window-runs.ts'

const CAPACITY = 400

// More windows than are brought together, too.
test.each([1, 2, 3, 16, 17, 60])('%i windows: each keeps its rows, their keys and their order', (windows) => {
  const seed = 4000 + windows
  const random = new Random(seed)
  const memory = new WorkerMemory()
  using writer = new KeyWriter(memory, CAPACITY)
  using runs = new WindowRuns(memory, CAPACITY)
  for (let round = 0; round < 20; round++) {
    const intake = newIntake(CAPACITY)
    const expected = new Map<number, [row: number, address: number, length: number][]>()
    for (let row = 0; row < CAPACITY; row++) {
      const window = random.below(windows)
      if (intake.runs === 0 || intake.runWindow[intake.runs - 1] !== window) {
        intake.runWindow[intake.runs] = window
        intake.runStart[intake.runs++] = intake.count
      }
      writer.span(intake.count, 1000 + row, row % 7)
      intake.rows[intake.count++] = row
      expected.set(window, [...(expected.get(window) ?? []), [row, 1000 + row, row % 7]])
    }
    intake.runStart[intake.runs] = intake.count
    runs.take(intake, writer)
    const spans = new Uint32Array(memory.buffer, runs.spansAddress, 2 * CAPACITY)
    const got = new Map<number, [row: number, address: number, length: number][]>()
    for (let run = 0; run < intake.runs; run++) {
      const window = intake.runWindow[run]!
      const rows = got.get(window) ?? []
      for (let i = intake.runStart[run]!; i < intake.runStart[run + 1]!; i++) {
        rows.push([runs.rows[i]!, spans[2 * i]!, spans[2 * i + 1]!])
      }
      got.set(window, rows)
    }
    expect(got, `seed ${seed}, round ${round}`).toEqual(expected)
    if (windows <= 16) expect(intake.runs, `seed ${seed}`).toBe(expected.size)
  }
})
