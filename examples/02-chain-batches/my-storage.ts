// A place for the position of your own: an object with three methods. `headrace ingest --checkpoint-store my-storage.ts`
// takes the export `storage`.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type Checkpoint, type CheckpointStorage, decodeCheckpoint, encodeCheckpoint } from 'headrace/chain'

/** A text file in the working directory. It is no model for a place that must survive a power cut. */
class TextFile implements CheckpointStorage {
  async saveCheckpoint(checkpoint: Checkpoint): Promise<void> {
    writeFileSync('position.txt', encodeCheckpoint(checkpoint))
  }

  async loadCheckpoint(): Promise<Checkpoint | null> {
    return existsSync('position.txt') ? decodeCheckpoint(readFileSync('position.txt', 'utf8')) : null
  }

  async deleteCheckpoint(): Promise<void> {
    rmSync('position.txt', { force: true })
  }
}

export const storage: CheckpointStorage = new TextFile()
