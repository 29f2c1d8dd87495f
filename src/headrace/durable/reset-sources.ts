import type { CheckpointMeta } from '../../checkpoint/meta.ts'
import type { Source } from '../../connectors/contract.ts'
import { HeadraceError } from '../../core/errors.ts'
import { didYouMean } from '../../core/suggest.ts'
import type { RestoredSource } from '../../runtime/delivery/cut.ts'
import type { SourceNode } from '../../sql/plan.ts'

/** Sources that may start anew when they are no longer the ones of the checkpoint (delivery.md §8). */
export interface ResetSources {
  /** Names or URIs, as the script has them. */
  readonly names: readonly string[]
  /** They start anew at once: what was found out while reading. */
  readonly now: boolean
}

const isNamed = (node: SourceNode, name: string): boolean =>
  node.name === name || node.info.uri === name || node.id === name

/** Whether a source drops what the snapshot holds of it: it is named, and no longer what it was. */
async function mustReset(
  node: SourceNode,
  source: Source,
  { restored, reset }: { readonly restored: RestoredSource; readonly reset: ResetSources | undefined },
): Promise<boolean> {
  if (reset?.names.some((name) => isNamed(node, name)) !== true) return false
  const stored = restored.incarnation
  return reset.now || (stored !== undefined && stored !== (await source.incarnation()))
}

/** Opens a source where the snapshot has it; at its beginning when it is named to be reset and has become another one. */
export async function openOrReset(
  node: SourceNode,
  from: { readonly restored: RestoredSource; readonly reset: ResetSources | undefined },
  open: (state: Uint8Array | undefined) => Promise<Source>,
): Promise<{ readonly source: Source; readonly positions: RestoredSource['positions']; readonly isReset: boolean }> {
  const source = await open(from.restored.state)
  if (!(await mustReset(node, source, from))) return { source, positions: from.restored.positions, isReset: false }
  await source[Symbol.asyncDispose]()
  return { source: await open(undefined), positions: new Map(), isReset: true }
}

/** Throws when the script has no source of one of these names; `known` by id. */
export function refuseUnknownSources(
  known: NonNullable<CheckpointMeta['source_names']>,
  names: readonly string[],
): void {
  const nodes = Object.entries(known)
  const unknown = names.find((name) => !nodes.some(([id, of]) => [id, of.name, of.uri].includes(name)))
  if (unknown === undefined) return
  const all = nodes.map(([, { name }]) => name)
  throw new HeadraceError('cli_usage', `--reset-source ${unknown}: the script has no such source`, {
    hint: didYouMean(unknown, all) ?? `it has: ${all.join(', ')}`,
  })
}
