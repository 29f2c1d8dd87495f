import type { EntryFacts } from './entry.ts'
import type { IndexedEntry } from './queue-state.ts'

/** An entry whose time has come. */
export interface DueEntry {
  readonly entry: IndexedEntry
  readonly facts: EntryFacts
  readonly bytes: Uint8Array
}
