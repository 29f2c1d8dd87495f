import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, test } from 'vitest'
import { crc32cTwin } from '../kernels/crc32c.ts'
import { streamsContract } from '../testkit/streams-store-contract.ts'
import { EmbeddedStore } from './embedded/embedded-store.ts'
import { MemoryStore } from './memory-store.ts'

const root = mkdtempSync(join(tmpdir(), 'headrace-streams-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const checksum = { crc32c: (bytes: Uint8Array): number => crc32cTwin(bytes) }
let places = 0

const stores = {
  memory: () => ({ open: async () => new MemoryStore(), forgets: true }),
  embedded: () => {
    const directory = join(root, String(places++))
    return {
      open: async () => {
        const store = new EmbeddedStore({ directory, checksum })
        await store.migrate()
        return store
      },
    }
  },
  'embedded, relaxed': () => {
    const directory = join(root, String(places++))
    return {
      open: async () => {
        const store = new EmbeddedStore({ directory, checksum, durability: 'relaxed' })
        await store.migrate()
        return store
      },
    }
  },
  'embedded, small segments': () => {
    const directory = join(root, String(places++))
    return {
      open: async () => {
        const store = new EmbeddedStore({ directory, checksum, segmentBytes: 300, snapshotBytes: 1 })
        await store.migrate()
        return store
      },
    }
  },
}

for (const [name, place] of Object.entries(stores)) {
  describe(`store: ${name}`, () => {
    for (const one of streamsContract) test(one.name, () => one.run(place()))
  })
}
