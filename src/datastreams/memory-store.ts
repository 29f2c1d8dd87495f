import { StreamLog } from './stream-log.ts'
import { TableStore, type TableStoreOptions } from './table-store.ts'

/** Streams that live as long as the process. */
export class MemoryStore extends TableStore<undefined> {
  readonly immediate: boolean = true

  constructor(options: TableStoreOptions = {}) {
    super(options, () => new StreamLog())
  }

  async migrate(): Promise<void> {}

  async health(): Promise<{ readonly ok: boolean; readonly detail: string }> {
    return { ok: true, detail: `${this.tables.streams.size} streams in memory` }
  }

  protected async keep(): Promise<readonly undefined[]> {
    return []
  }

  async close(): Promise<void> {}
}
