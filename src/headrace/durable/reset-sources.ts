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
export async function mustReset(
  node: SourceNode,
  source: Source,
  { restored, reset }: { readonly restored: RestoredSource; readonly reset: ResetSources },
): Promise<boolean> {
  if (!reset.names.some((name) => isNamed(node, name))) return false
  const stored = restored.incarnation
  return reset.now || (stored !== undefined && stored !== (await source.incarnation()))
}

export function refuseUnknownSources(nodes: readonly SourceNode[], names: readonly string[]): void {
  const unknown = names.find((name) => !nodes.some((node) => isNamed(node, name)))
  if (unknown === undefined) return
  const known = nodes.map(({ name }) => name)
  throw new HeadraceError('cli_usage', `--reset-source ${unknown}: the script has no such source`, {
    hint: didYouMean(unknown, known) ?? `it has: ${known.join(', ')}`,
  })
}
