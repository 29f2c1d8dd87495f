import type { StreamCheckpoint } from '../../checkpoint/stream-checkpoint.ts'
import type { Sink, Source } from '../../connectors/contract.ts'
import type { SourceNode } from '../../sql/plan.ts'
import type { DeadLetter } from '../dead-letters.ts'
import type { OpenPlace } from '../open.ts'
import type { PlannedSink } from '../planned-sinks.ts'
import type { Change } from './records.ts'

/**
 * Dead letters that run through a pipeline once more, in place of the rows of its sources. Positions and states stay
 * those of the snapshot that is gone on from; what sinks prepare and what becomes of the entries is new.
 */
export interface Rerun {
  /** In place of a source. Each of its items holds one entry. */
  openSource(place: OpenPlace, node: SourceNode, restored: StreamCheckpoint | undefined): Source
  /** In place of the sinks, where nothing is to be touched. */
  readonly openSink?: ((planned: PlannedSink) => Sink) | undefined
  /**
   * After the step of an item of a source, inside it: the letters that it gave. What becomes of the entry is handed to
   * `change`, as part of the epoch of its rows; undefined where nothing is to be touched.
   */
  afterStep(
    source: SourceNode | undefined,
    letters: readonly DeadLetter[],
    change: ((change: Change) => void) | undefined,
  ): void
}
