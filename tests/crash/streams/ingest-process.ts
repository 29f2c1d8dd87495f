import { writeSync } from 'node:fs'
import { EmbeddedStore } from '../../../src/datastreams/embedded/embedded-store.ts'
import { DataStreamsService } from '../../../src/datastreams/service.ts'
import { crc32cTwin } from '../../../src/kernels/crc32c.ts'
import { MockAccountChecker } from '../../../src/testkit/mock-account-checker.ts'

// node ingest-process.ts FOLDER FIRST READ: thirty-two writers send numbered frames from FIRST on, a live reader goes on
// behind position READ. Prints what was acknowledged and what was read, until it is killed.
const [directory, first, read] = process.argv.slice(2)
const checksum = { crc32c: (bytes: Uint8Array): number => crc32cTwin(bytes) }
const store = new EmbeddedStore({ directory: directory!, checksum, segmentBytes: 200_000, snapshotBytes: 300_000 })
const service = new DataStreamsService({ accounts: new MockAccountChecker('a'), store })
const say = (text: string) => writeSync(1, `${text}\n`)

await service.start()
const [known] = await service.listStreams('a')
const { id } = known ?? (await service.createStream({ accountId: 'a', name: 'feed', symbol: 'feed', status: 'active' }))

async function follow(): Promise<void> {
  for await (const { position, sequence } of service.subscribe('a', id, { after: BigInt(read!) })) {
    say(`read ${position} ${sequence}`)
  }
}

let next = BigInt(first!)
async function send(): Promise<void> {
  for (;;) {
    const sequence = next++
    const { frame } = await service.createFrame('a', id, sequence, { sequence: String(sequence), x: 'y'.repeat(300) })
    say(`ack ${sequence} ${frame.position}`)
  }
}

say('ready')
await Promise.all([follow(), ...Array.from({ length: 32 }, send)])
