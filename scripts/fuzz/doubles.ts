import { WorkerMemory } from '../../src/core/memory.ts'
import { Random } from '../../src/core/random.ts'
import { Kernels } from '../../src/kernels/kernels.ts'

/** Doubles of all kinds: bit patterns, decimals, integers, powers. */
export function randomDouble(random: Random): number {
  switch (random.below(6)) {
    case 0: {
      const view = new DataView(new ArrayBuffer(8))
      view.setUint32(0, random.uint32())
      view.setUint32(4, random.uint32())
      return view.getFloat64(0)
    }
    case 1:
      return random.between(-1_000_000, 1_000_000) / 10 ** random.below(7)
    case 2:
      return random.uint32() * 2 ** random.between(-40, 40)
    case 3:
      return 2 ** random.between(-1074, 1023)
    case 4:
      return 10 ** random.between(-320, 308)
    default:
      return (random.float() - 0.5) * 10 ** random.between(-10, 22)
  }
}

/** Writes `n` doubles with the kernel; those that JSON.stringify writes otherwise. */
export function fuzzDoubles(n: number, seed: number): readonly number[] {
  const random = new Random(seed)
  const memory = new WorkerMemory()
  const { exports } = new Kernels(memory)
  const region = memory.allocate(64)
  const wrong: number[] = []
  for (let i = 0; i < n; ) {
    const x = randomDouble(random)
    if (!Number.isFinite(x)) continue
    i++
    const text = memory.text.latin1Slice(region, exports.putDouble(region, x))
    if (text !== JSON.stringify(x)) wrong.push(x)
  }
  return wrong
}
