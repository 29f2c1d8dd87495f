import { writeSync } from 'node:fs'
import { StreamCheckpointConfig } from '../../../src/checkpoint/config.ts'
import { StreamCheckpointManager } from '../../../src/checkpoint/manager.ts'
import { SequenceCounter, WatermarkCell } from '../../../src/core/counters.ts'

// node push-process.ts FOLDER GROUPS: pushes in groups of three that share a flush, and prints how far it was acknowledged.
const [folder, groups] = process.argv.slice(2)
const config = new StreamCheckpointConfig({ dataDir: folder!, walMode: 'sync', walSegmentBytes: 200 })
const manager = new StreamCheckpointManager(config)
const sequence = new SequenceCounter()
const watermark = new WatermarkCell()
manager.registerSource('src', sequence, watermark)
await manager.open()
const journal = manager.journal('src')
for (let group = 0; group < Number(groups); group++) {
  const pushes = [1, 2, 3].map(() => {
    sequence.increment()
    return journal.pushed(sequence.value, watermark.value)
  })
  await Promise.all(pushes)
  writeSync(1, `${sequence.value}\n`)
}
await manager.close()
