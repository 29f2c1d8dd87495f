import { type CheckpointMeta, encodeJson, encodeMeta, jsonState, META_KEY } from '../../checkpoint/meta.ts'
import type { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import type { LedOffsets, Offset } from '../../connectors/contract.ts'
import { WATERMARK_UNSET } from '../../core/counters.ts'
import type { Barrier } from '../../core/element.ts'
import { HeadraceError } from '../../core/errors.ts'
import type { StateBytes } from '../../core/state-bytes.ts'
import type { OpenSource, SplitPosition } from '../drive/drive.ts'
import type { Graph } from '../graph/build.ts'
import type { Origin } from '../graph/origin.ts'
import type { SinkStage } from '../graph/sink-stage.ts'
import { encodeName, stateKey } from '../graph/stage.ts'
import type { Cut, CycleForm, CycleSink } from './cycle.ts'
import { ledOffsets } from './led.ts'

/** A running pipeline as a snapshot sees it. */
export interface Running {
  readonly graph: Graph
  readonly sources: readonly OpenSource[]
  readonly sinks: readonly SinkStage[]
  /** Sinks that no row of the graph leads to: the queue of dead letters. */
  readonly beside: () => readonly CycleSink[]
  /** What identifies the log behind each source, by source id. */
  readonly incarnations: ReadonlyMap<string, string>
  /** Numbers of the digest that are no source's or sink's. */
  readonly counters: CountersState
  readonly meta: (form: CycleForm) => CheckpointMeta
}

/** What of the digest is kept beside rows in and out. */
export interface CountersState {
  snapshot(): SavedCounters
  restore(saved: SavedCounters): void
}

export interface SavedCounters {
  readonly late_rows: number
  readonly late_window_misses: number
  readonly rejected: Readonly<Record<string, number>>
  /** Shares of the rejected. */
  readonly skipped?: number | undefined
  readonly undecoded?: number | undefined
  /** Bytes of the records that were read. */
  readonly bytes_in?: number | undefined
}

/** `source/<id>/offsets`. Rows are by split, so that `_row` and sink-led counts go on (rulings 18, 21). */
export interface SavedOffsets {
  readonly incarnation: string
  readonly splits: Readonly<Record<string, Offset>>
  readonly watermarks: Readonly<Record<string, number>>
  readonly rows: Readonly<Record<string, number>>
  readonly finished: readonly string[]
  readonly ended: boolean
}

const COUNTERS_KEY = 'headrace/counters'
export const offsetsKey = (id: string): string => `source/${encodeName(id)}/offsets`
const sourceStateKey = (id: string): string => `source/${encodeName(id)}/state`

/** Sends the barrier through the graph and copies everything it cuts off. No row may be in the graph. */
export async function takeCut(running: Running, epoch: bigint, form: CycleForm): Promise<Cut> {
  const { graph, sources, sinks } = running
  const states = new Map<string, Uint8Array | StateBytes>()
  const taken: Disposable[] = []
  const prepared = new Map<string, Promise<Uint8Array>>()
  const barrier: Barrier = {
    kind: 'barrier',
    epoch,
    last: form.last,
    keep: (key, state) => {
      states.set(key, state)
      taken.push(state)
    },
    prepared: (part, token) => {
      // Whoever awaits it may come later than its failure.
      token.catch(() => undefined)
      prepared.set(part, token)
    },
  }
  for (const origin of graph.origins) await origin.barrier(barrier)
  for (const { part, sink } of running.beside()) {
    if (sink.prepare !== undefined) barrier.prepared(part, sink.prepare(epoch, { last: form.last }))
  }
  const offsets = new Map<string, ReadonlyMap<string, Offset>>()
  for (const { node, origin, source, positions } of sources) {
    const incarnation = running.incarnations.get(node.id) ?? ''
    states.set(offsetsKey(node.id), encodeJson(savedOffsets(origin, positions, incarnation)))
    const state = source.state?.()
    if (state !== undefined) states.set(sourceStateKey(node.id), state)
    offsets.set(node.id, offsetsOf(positions))
  }
  for (const origin of graph.origins) {
    if (origin.node.kind === 'values') states.set(offsetsKey(origin.node.id), encodeJson({ ended: origin.ended }))
  }
  states.set(COUNTERS_KEY, encodeJson(running.counters.snapshot()))
  states.set(META_KEY, encodeMeta(running.meta(form)))
  return {
    states,
    release: () => {
      for (const state of taken.splice(0)) state[Symbol.dispose]()
    },
    prepared,
    offsets,
    led: ledOffsets(sources.map(({ node, positions }) => [node.id, positions])),
    sourceSequences: new Map(graph.origins.map((origin) => [origin.node.id, BigInt(origin.rows)])),
    sinkPositions: new Map(sinks.map(({ part, rows }) => [part, BigInt(rows)])),
    watermarks: new Map(sources.map(({ node, origin }) => [node.id, watermarkOf(origin)])),
  }
}

function offsetsOf(positions: ReadonlyMap<string, SplitPosition>): ReadonlyMap<string, Offset> {
  const known = [...positions].filter(([, { offset }]) => offset !== undefined)
  return new Map(known.map(([split, { offset }]) => [split, offset!]))
}

function savedOffsets(
  origin: Origin,
  positions: ReadonlyMap<string, SplitPosition>,
  incarnation: string,
): SavedOffsets {
  const finite = [...positions.keys()].map((split) => [split, origin.watermarkOf(split)] as const)
  return {
    incarnation,
    splits: Object.fromEntries(offsetsOf(positions)),
    watermarks: Object.fromEntries(finite.filter(([, watermark]) => Number.isFinite(watermark))),
    rows: Object.fromEntries([...positions].map(([split, { rows }]) => [split, rows])),
    finished: [...positions].filter(([, { ended }]) => ended).map(([split]) => split),
    ended: origin.ended,
  }
}

/** The least watermark of the splits that have not ended. */
function watermarkOf(origin: Origin): bigint {
  const least = origin.watermarks[0]?.operator.least ?? Number.NEGATIVE_INFINITY
  return Number.isFinite(least) ? BigInt(Math.trunc(least)) : WATERMARK_UNSET
}

/**
 * For rows that run again: positions, states, counts of rows in and watermarks stay those of the snapshot that is gone on
 * from. What sinks have prepared, the counters and rows out are those of the cut.
 */
export function carryOver(cut: Cut, from: StreamCheckpoint): Cut {
  const states = new Map<string, Uint8Array | StateBytes>()
  const isCarried = (key: string): boolean => /^(source|op)\//.test(key)
  for (const [key, state] of cut.states) if (!isCarried(key)) states.set(key, state)
  for (const [key, state] of from.operatorStates) if (isCarried(key)) states.set(key, state)
  const { sourceSequences, watermarks } = from
  return { ...cut, states, sourceSequences, watermarks, offsets: new Map(), led: new Map() }
}

/** Puts the graph and its counters where a snapshot has them; before any source is opened. */
export function restoreGraph(
  running: Pick<Running, 'graph' | 'sinks' | 'counters'>,
  checkpoint: StreamCheckpoint,
): void {
  for (const stage of running.graph.stages) {
    const state = checkpoint.operatorStates.get(stateKey(stage.id))
    if (state !== undefined) stage.restore(state)
  }
  for (const origin of running.graph.origins) {
    origin.ended = jsonState<SavedOffsets>(checkpoint, offsetsKey(origin.node.id))?.ended ?? false
  }
  restoreCounts(running, checkpoint)
}

/** The numbers of a snapshot, without its states. */
export function restoreCounts(
  running: Pick<Running, 'graph' | 'sinks' | 'counters'>,
  checkpoint: StreamCheckpoint,
): void {
  for (const origin of running.graph.origins) {
    origin.rows = Number(checkpoint.sourceSequences.get(origin.node.id) ?? 0n)
  }
  for (const sink of running.sinks) sink.rows = Number(checkpoint.sinkPositions.get(sink.part) ?? 0n)
  const counters = jsonState<SavedCounters>(checkpoint, COUNTERS_KEY)
  if (counters !== undefined) running.counters.restore(counters)
}

/** What a source is opened with again. */
export interface RestoredSource {
  readonly positions: Map<string, SplitPosition>
  readonly incarnation: string | undefined
  readonly state: Uint8Array | undefined
}

export function restoredSource(id: string, checkpoint: StreamCheckpoint | undefined): RestoredSource {
  const saved = checkpoint === undefined ? undefined : jsonState<SavedOffsets>(checkpoint, offsetsKey(id))
  const positions = new Map<string, SplitPosition>()
  if (saved !== undefined) {
    const finished = new Set(saved.finished)
    for (const [split, rows] of Object.entries(saved.rows)) {
      positions.set(split, { offset: saved.splits[split], rows, ended: finished.has(split) })
    }
  }
  return { positions, incarnation: saved?.incarnation, state: checkpoint?.operatorStates.get(sourceStateKey(id)) }
}

/** The offsets of a snapshot as a sink that leads takes them. */
export const ledOffsetsOf = (checkpoint: StreamCheckpoint, sources: readonly string[]): LedOffsets =>
  ledOffsets(sources.map((id) => [id, restoredSource(id, checkpoint).positions]))

/** A source must still be the log that its offsets belong to (delivery.md §8). */
export function checkIncarnation(name: string, stored: string | undefined, found: string): void {
  if (stored === undefined || stored === found) return
  throw new HeadraceError(
    'connector_incarnation_changed',
    `source '${name}' is not the one in the checkpoint: it was "${stored}", it is "${found}"`,
    { hint: `bring the old one back, or start it anew: --reset-source ${name}` },
  )
}
