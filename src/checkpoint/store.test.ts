import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { FaultyFiles } from '../testkit/faulty-files.ts'
import { type StorePlace, storeContract } from '../testkit/store-contract.ts'
import { FileStore } from './file-store.ts'
import { MemoryStore } from './memory-store.ts'

const inMemory = (): StorePlace => {
  const store = new MemoryStore()
  return { open: () => store.copy(), remove: async () => {} }
}

const inFiles = (options: () => ConstructorParameters<typeof FileStore>[1]) => (): StorePlace => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-store-'))
  return {
    open: () => new FileStore(join(directory, 'a/b'), options()),
    remove: async () => rmSync(directory, { recursive: true }),
  }
}

/** A file system without hard links. */
class NoLinks extends FaultyFiles {
  override async link(): Promise<void> {
    throw Object.assign(new Error('EPERM'), { code: 'EPERM' })
  }
}

const places: Readonly<Record<string, () => StorePlace>> = {
  memory: inMemory,
  file: inFiles(() => ({})),
  'file without hard links': inFiles(() => ({ files: new NoLinks() })),
}

for (const [name, make] of Object.entries(places)) {
  describe(`store contract: ${name}`, () => {
    test.each(storeContract)('$name', async ({ run }) => {
      const place = make()
      try {
        await run(place)
      } finally {
        await place.remove()
      }
    })
  })
}
