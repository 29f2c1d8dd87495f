/** Where a pushed source notes what happens to it, so that it survives a crash. The checkpoint manager gives one. */
export interface SourceJournal {
  /**
   * One push, whose records the counter includes. It runs in the step of the push; the push resolves with what it
   * gives: with a log that is synced, when the note is on disk.
   */
  pushed(sequence: bigint, watermark: bigint): Promise<void> | undefined
  /** A watermark that advanced. */
  advanced(sequence: bigint, watermark: bigint): void
}
