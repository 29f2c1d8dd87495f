import { type SequenceCounter, WATERMARK_UNSET, type WatermarkCell } from '../core/counters.ts'
import { CheckpointError } from './error.ts'
import type { StreamCheckpoint, StreamCheckpointParts } from './stream-checkpoint.ts'

/** Sources have 16-bit ids. */
const SOURCES_MAX = 65_536

/** How a source is registered. */
export interface SourceForm {
  /** It re-reads from offsets of its own: the write-ahead log does not move it. */
  readonly ownOffsets?: boolean | undefined
}

interface RegisteredSource {
  readonly id: number
  readonly ownOffsets: boolean
  sequence: SequenceCounter
  watermark: WatermarkCell
}

interface RegisteredOperator {
  readonly snapshot: () => Uint8Array
  readonly restore: (bytes: Uint8Array) => void
}

/** What a manager takes snapshots of: live counters of sources, positions of sinks, states of operators. */
export class CheckpointRegistry {
  readonly #sources = new Map<string, RegisteredSource>()
  readonly #names: string[] = []
  readonly #sinks = new Map<string, bigint>()
  readonly #operators = new Map<string, RegisteredOperator>()

  /** The compact id of the source, from 0; the same name again replaces the references and keeps the id. */
  source(name: string, sequence: SequenceCounter, watermark: WatermarkCell, form: SourceForm = {}): number {
    const known = this.#sources.get(name)
    if (known !== undefined) {
      known.sequence = sequence
      known.watermark = watermark
      return known.id
    }
    const id = this.#sources.size
    if (id >= SOURCES_MAX) throw new CheckpointError('InvalidConfig', 'too many sources')
    this.#sources.set(name, { id, sequence, watermark, ownOffsets: form.ownOffsets ?? false })
    this.#names.push(name)
    return id
  }

  /** The compact id of a source that is registered. */
  idOf(name: string): number | undefined {
    return this.#sources.get(name)?.id
  }

  nameOf(sourceId: number): string {
    return this.#names[sourceId]!
  }

  /** Where every source is now, in the order of registration. */
  positions(): { readonly id: number; readonly sequence: bigint; readonly watermark: bigint }[] {
    return [...this.#sources.values()].map(({ id, sequence, watermark }) => ({
      id,
      sequence: sequence.value,
      watermark: watermark.value,
    }))
  }

  /** Counters and watermarks of pushed sources go up to what the log says, never down. */
  raise(reached: ReadonlyMap<string, { readonly sequence: bigint; readonly watermark: bigint }>): void {
    for (const [name, to] of reached) {
      const source = this.#sources.get(name)
      if (source === undefined || source.ownOffsets) continue
      if (to.sequence > source.sequence.value) source.sequence.set(to.sequence)
      source.watermark.advance(to.watermark)
    }
  }

  sink(name: string, position: bigint): void {
    this.#sinks.set(name, position)
  }

  operator(name: string, snapshot: () => Uint8Array, restore: (bytes: Uint8Array) => void): void {
    this.#operators.set(name, { snapshot, restore })
  }

  /** All of it now, in one uninterrupted step. */
  capture(): Omit<StreamCheckpointParts, 'id' | 'epoch' | 'createdAt'> {
    const sources = [...this.#sources]
    return {
      sourceSequences: new Map(sources.map(([name, { sequence }]) => [name, sequence.value])),
      sinkPositions: new Map(this.#sinks),
      watermarks: new Map(sources.map(([name, { watermark }]) => [name, watermark.value])),
      operatorStates: new Map([...this.#operators].map(([name, { snapshot }]) => [name, snapshot().slice()])),
    }
  }

  /** Puts everything that is registered where the snapshot has it. Nothing is touched when a name has no registration. */
  apply(checkpoint: StreamCheckpoint, allowUnused: boolean): void {
    if (!allowUnused) this.#refuseUnused(checkpoint)
    for (const [name, { sequence, watermark }] of this.#sources) {
      const stored = checkpoint.sourceSequences.get(name)
      if (stored !== undefined) sequence.set(stored)
      const micros = checkpoint.watermarks.get(name)
      if (micros !== undefined && micros !== WATERMARK_UNSET) watermark.advance(micros)
    }
    for (const name of this.#sinks.keys()) {
      const position = checkpoint.sinkPositions.get(name)
      if (position !== undefined) this.#sinks.set(name, position)
    }
    for (const [name, { restore }] of this.#operators) {
      const state = checkpoint.operatorStates.get(name)
      if (state !== undefined) restore(state)
    }
  }

  #refuseUnused({ sourceSequences, watermarks, sinkPositions, operatorStates }: StreamCheckpoint): void {
    const sections = [
      ['source', sourceSequences, this.#sources],
      ['source', watermarks, this.#sources],
      ['sink', sinkPositions, this.#sinks],
      ['operator', operatorStates, this.#operators],
    ] as const
    for (const [kind, stored, registered] of sections) {
      const unused = [...stored.keys()].find((name) => !registered.has(name))
      if (unused === undefined) continue
      throw new CheckpointError('IoError', `${kind} '${unused}' of the checkpoint is not registered`, {
        hint: `register it before applyRestore, or allow it: { allowUnused: true }`,
      })
    }
  }
}
