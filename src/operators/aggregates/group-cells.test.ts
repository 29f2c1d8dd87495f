import { expect, test } from 'vitest'
import { PADDING, WorkerMemory } from '../../core/memory.ts'
import { GroupCells, RowsTaken } from './group-cells.ts'

test.each([
  [0, 1],
  [1, 2],
  [3, 4],
  [4, 8],
  [9, 16],
])('%i cells beside the row count take rows of %i', (cells, stride) => {
  using group = new GroupCells(new WorkerMemory(), cells)
  expect(group.stride).toBe(stride)
})

test('growing keeps what was there; new rows are 0, also where memory is used again', () => {
  const memory = new WorkerMemory()
  // Regions of the sizes that growth asks for, dirty.
  for (let size = 1024; size <= 65_536; size *= 2) {
    const address = memory.allocate(size - PADDING)
    memory.bytes.fill(0xff, address, address + size)
    memory.free(address, size - PADDING)
  }
  using group = new GroupCells(memory, 3)
  const slots = 1000
  for (let slot = 0; slot < slots; slot++) {
    group.reserve(slot + 1)
    const at = slot * group.stride
    expect([...group.data.subarray(at, at + group.stride)], `slot ${slot}`).toEqual([0, 0, 0, 0])
    group.data.fill(slot + 1, at, at + group.stride)
  }
  for (let slot = 0; slot < slots; slot++) {
    const at = slot * group.stride
    expect([...group.data.subarray(at, at + group.stride)]).toEqual(Array(4).fill(slot + 1))
  }
  group.clear(slots)
  expect(group.data.subarray(0, slots * group.stride).every((value) => value === 0)).toBe(true)
})

test('an aggregate takes the rows of its group less those that it skipped', () => {
  using group = new GroupCells(new WorkerMemory(), 0)
  group.reserve(200)
  const taken = new RowsTaken(group)
  for (const slot of [0, 150]) group.data[slot * group.stride] = 5
  taken.skip(150, 1)
  taken.skip(150, 1)
  taken.skip(150, -1)
  expect([taken.of(0), taken.of(150), taken.of(199)]).toEqual([5, 4, 0])
  taken.clear()
  expect(taken.of(150)).toBe(5)
})
