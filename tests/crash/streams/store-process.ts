import { writeSync } from 'node:fs'
import { EmbeddedStore } from '../../../src/datastreams/embedded/embedded-store.ts'
import { DataStreamsService } from '../../../src/datastreams/service.ts'
import { crc32cTwin } from '../../../src/kernels/crc32c.ts'
import { MockAccountChecker } from '../../../src/testkit/mock-account-checker.ts'

// node store-process.ts FOLDER: frames in groups of three that share a commit, over segments that end after two groups;
// a cut, a rewritten segment, snapshots. Prints what was acknowledged.
const directory = process.argv[2]!
const checksum = { crc32c: (bytes: Uint8Array): number => crc32cTwin(bytes) }
const store = new EmbeddedStore({ directory, checksum, segmentBytes: 70_000, snapshotBytes: 150_000 })
const service = new DataStreamsService({ accounts: new MockAccountChecker('a'), store })
const say = (text: string) => writeSync(1, `${text}\n`)

await service.start()
const { id } = await service.createStream({ accountId: 'a', name: 'feed', symbol: 'feed', status: 'inactive' })
say(`stream ${id}`)
const filler = 'x'.repeat(12_000)
for (let group = 0; group < 5; group++) {
  const sent = [3, 1, 2].map(async (n) => {
    const sequence = BigInt(10 * group + n)
    const { frame } = await service.createFrame('a', id, sequence, { sequence: String(sequence), filler })
    say(`ack ${sequence} ${frame.position}`)
  })
  await Promise.all(sent)
}
say('cutting')
await store.cut(id, 5n)
say('cut 5')
await store.maintain(0)
await service.stop()
say('done')
