import { Uuid7 } from '../core/uuid7.ts'
import type { Frame } from './frame.ts'
import type { Append, Appended, FrameQuery, Store, StreamExtent, StreamQuery } from './store.ts'
import type { Stream } from './stream.ts'
import { StreamLog } from './stream-log.ts'
import { timeliness } from './timeliness.ts'

/** Streams that live as long as the process. */
export class MemoryStore implements Store {
  readonly immediate: boolean = true
  readonly #streams = new Map<string, { stream: Stream; readonly log: StreamLog }>()
  #nowMs = 0
  readonly #ids = new Uuid7(() => this.#nowMs)

  async migrate(): Promise<void> {}

  async health(): Promise<{ readonly ok: boolean; readonly detail: string }> {
    return { ok: true, detail: `${this.#streams.size} streams in memory` }
  }

  async createStream(stream: Stream): Promise<void> {
    this.#streams.set(stream.id, { stream, log: new StreamLog() })
  }

  async updateStream(stream: Stream, expected: number): Promise<boolean> {
    const entry = this.#streams.get(stream.id)
    if (entry === undefined || entry.stream.version !== expected) return false
    entry.stream = stream
    return true
  }

  async getStream(id: string): Promise<Stream | undefined> {
    return this.#streams.get(id)?.stream
  }

  async listStreams(query: StreamQuery): Promise<readonly Stream[]> {
    const { accountId, limit, after, status, symbol, namePrefix } = query
    return [...this.#streams.values()]
      .map(({ stream }) => stream)
      .filter(
        (stream) =>
          stream.accountId === accountId &&
          (status === undefined || stream.status === status) &&
          (symbol === undefined || stream.symbol === symbol) &&
          (namePrefix === undefined || stream.name.startsWith(namePrefix)) &&
          (after === undefined || newestFirst(after, stream) < 0),
      )
      .sort(newestFirst)
      .slice(0, limit)
  }

  async deleteStream(id: string): Promise<boolean> {
    return this.#streams.delete(id)
  }

  async append(appends: readonly Append[], now: number): Promise<readonly (readonly Appended[])[]> {
    this.#nowMs = now
    return appends.map((append) => this.#appendOne(append, now))
  }

  #appendOne({ streamId, frames, atomic }: Append, now: number): readonly Appended[] {
    const entry = this.#streams.get(streamId)
    const refusal = entry === undefined ? 'not_found' : refusalOf(entry.stream)
    if (refusal !== undefined) return frames.map(() => ({ kind: 'refused', code: refusal }))
    const { stream, log } = entry!
    const planned: Frame[] = []
    const bySequence = new Map<bigint, Frame>()
    let highest = 0n
    const results = frames.map(({ fields, receivedAt }): Appended => {
      const { observedAt } = timeliness(fields, stream, { receivedAt, createdAt: now })
      const earlier = log.found(fields, observedAt)
      if (earlier !== undefined) return { kind: earlier.repeat ? 'duplicate' : 'conflict', frame: earlier.frame }
      const ahead = { count: planned.length, highest }
      const frame = log.plan(stream, fields, { receivedAt, createdAt: now, id: this.#ids.next(), ahead })
      const twin = bySequence.get(frame.sequence)
      if (twin !== undefined) {
        const repeat = sameContent(twin, frame)
        return { kind: repeat ? 'duplicate' : 'conflict', frame: twin }
      }
      planned.push(frame)
      bySequence.set(frame.sequence, frame)
      if (frame.sequence > highest) highest = frame.sequence
      return { kind: 'created', frame }
    })
    if (atomic && results.some(({ kind }) => kind === 'conflict')) {
      return results.map((result) => (result.kind === 'created' ? { kind: 'withheld' } : result))
    }
    for (const frame of planned) log.push(frame)
    if (planned.length > 0 && stream.status === 'inactive') {
      entry!.stream = { ...stream, status: 'active', updatedAt: now, version: stream.version + 1 }
    }
    return results
  }

  async getFrame(streamId: string, sequence: bigint): Promise<Frame | undefined> {
    return this.#streams.get(streamId)?.log.get(sequence)
  }

  async latestFrame(streamId: string): Promise<Frame | undefined> {
    return this.#streams.get(streamId)?.log.latest
  }

  async listFrames(query: FrameQuery): Promise<readonly Frame[]> {
    return this.#streams.get(query.streamId)?.log.list(query) ?? []
  }

  async extent(streamId: string): Promise<StreamExtent | undefined> {
    return this.#streams.get(streamId)?.log.extent()
  }

  async close(): Promise<void> {}
}

/** Why a stream takes no frames now (streams-service.md §1.4). */
export function refusalOf({
  status,
  autoActivate,
  onPaused,
}: Stream): 'stream_paused' | 'stream_not_active' | undefined {
  if (status === 'paused' && onPaused === 'reject') return 'stream_paused'
  return status === 'inactive' && !autoActivate ? 'stream_not_active' : undefined
}

const sameContent = (a: Frame, b: Frame): boolean =>
  a.payload === b.payload &&
  a.statedStatus === b.statedStatus &&
  a.observedAt === b.observedAt &&
  JSON.stringify(a.metadata) === JSON.stringify(b.metadata)

type Created = Pick<Stream, 'createdAt' | 'id'>

const newestFirst = (a: Created, b: Created): number =>
  b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
