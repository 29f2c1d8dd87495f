import type { Checkpoint } from './types.ts'

/** One slot for a position; the last write wins. Three methods make a storage. */
export interface CheckpointStorage {
  saveCheckpoint(checkpoint: Checkpoint): Promise<void>
  loadCheckpoint(): Promise<Checkpoint | null>
  /** Deleting nothing succeeds. */
  deleteCheckpoint(): Promise<void>
  /** Checkpoints of the chain that stands, oldest first, at most `limit`; the last is that of the slot. */
  history?(limit: number): Promise<readonly Checkpoint[]>
}

/** What storages keep for reorganisations across a restart. */
export const HISTORY_MAX = 10_000

/** Adds a checkpoint to a history: what it goes back behind no longer stands. */
export function addToHistory(history: Checkpoint[], checkpoint: Checkpoint): void {
  while (history.length > 0 && history.at(-1)!.lastBatchId >= checkpoint.lastBatchId) history.pop()
  history.push(checkpoint)
  if (history.length > 2 * HISTORY_MAX) history.splice(0, history.length - HISTORY_MAX)
}

/** In the process. A clone shares the slot. */
export class MemoryCheckpointStorage implements CheckpointStorage {
  #slot: { history: Checkpoint[] } = { history: [] }

  async saveCheckpoint(checkpoint: Checkpoint): Promise<void> {
    addToHistory(this.#slot.history, checkpoint)
  }

  async loadCheckpoint(): Promise<Checkpoint | null> {
    return this.#slot.history.at(-1) ?? null
  }

  async deleteCheckpoint(): Promise<void> {
    this.#slot.history = []
  }

  async history(limit: number): Promise<readonly Checkpoint[]> {
    return limit <= 0 ? [] : this.#slot.history.slice(-limit)
  }

  clone(): MemoryCheckpointStorage {
    const twin = new MemoryCheckpointStorage()
    twin.#slot = this.#slot
    return twin
  }
}
