import type { BigIntStats } from 'node:fs'
import type { RowPosition } from './file-rows.ts'
import type { KnownFile } from './file-state.ts'
import { Handle, type Handles } from './handles.ts'
import { type FileIdentity, fileKey } from './identity.ts'

/** `pending` waits for files that had its path before; `live` is read; `ended` was; `ignored` never is. */
export type Phase = 'pending' | 'live' | 'ended' | 'ignored'

/** A file of a watched source, from when it is found until nothing is left of it. */
export class TrackedFile {
  readonly split: string
  /** Name under which it was found, or would have been. */
  readonly path: string
  /** Over the first bytes that were seen; grows while it is read. */
  identity: FileIdentity
  phase: Phase
  /** Where it is; undefined when no name of it was found. */
  at: string | undefined
  /** Device and inode; undefined until it is found after a restart. */
  key: string | undefined
  size = 0
  #mtimeNs = 0n
  /** Where it begins when nothing of it was given; where it ended. */
  start: RowPosition
  /** Bytes of it that a reader has seen. */
  readTo: number
  /** Since when it has not grown: monotonic ms. */
  quietMs = 0
  /** Since when it is not at its path: monotonic ms. */
  awayMs: number | undefined
  /** Since when none of its names was found: monotonic ms. */
  missingMs: number | undefined
  /** What was read of it is not there any more: what was not read is lost. */
  cut = false
  /** The consumer knows that it ended. */
  removed = false
  /** It is read whole, once: what is added later is not. */
  isWhole = false
  /** What must be read before it. */
  readonly after: TrackedFile[] = []
  readonly handle: Handle

  constructor(
    handles: Handles,
    of: {
      readonly split: string
      readonly path: string
      readonly identity: FileIdentity
      readonly start: RowPosition
      readonly phase: Phase
    },
  ) {
    this.split = of.split
    this.path = of.path
    this.identity = of.identity
    this.start = of.start
    this.readTo = of.start.byte
    this.phase = of.phase
    this.handle = new Handle(handles, () => this.at ?? this.path)
  }

  /** Takes what the system says of it; true when it changed. */
  observe(stat: BigIntStats, at: string | undefined, nowMs: number): boolean {
    const size = Number(stat.size)
    const changed = size !== this.size || stat.mtimeNs !== this.#mtimeNs
    if (size !== this.size) this.quietMs = nowMs
    this.size = size
    this.#mtimeNs = stat.mtimeNs
    this.key = fileKey(stat)
    this.at = at
    if (at === this.path) this.awayMs = undefined
    else this.awayMs ??= nowMs
    if (at === undefined) this.missingMs ??= nowMs
    else this.missingMs = undefined
    return changed
  }

  /** No name of it was found, and it is not open. */
  miss(nowMs: number): void {
    this.at = undefined
    this.awayMs ??= nowMs
    this.missingMs ??= nowMs
  }

  /** Its content was replaced: what is at its path now is another file. */
  lose(): void {
    this.cut = true
    this.key = undefined
    this.at = undefined
    this.handle.retire()
  }

  /** As it is kept across restarts: it is ended only when the consumer knows that. */
  toKnown(): KnownFile {
    const { split, path, identity, start, phase } = this
    const at = this.at === path ? undefined : this.at
    const ended = phase === 'ended' && this.removed
    const kept = ended ? 'ended' : phase === 'ignored' ? 'ignored' : this.cut ? 'cut' : undefined
    return { split, path, identity, start, at, phase: kept }
  }

  static fromKnown(handles: Handles, known: KnownFile): TrackedFile {
    const { split, path, identity, start = { byte: 0, row: 0 } } = known
    const phase = known.phase === 'ended' || known.phase === 'ignored' ? known.phase : 'live'
    const file = new TrackedFile(handles, { split, path, identity, start, phase })
    file.at = known.at ?? path
    file.cut = known.phase === 'cut'
    file.removed = phase === 'ended'
    return file
  }
}
