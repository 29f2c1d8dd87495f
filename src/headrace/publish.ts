import type { Sink } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import type { SinkStage } from '../runtime/graph/sink-stage.ts'

/**
 * Ends the sinks of a run without checkpoints: all are sealed before any is published, so that what can fail fails
 * while every target is as it was. The queue of dead letters comes first (rulings 18) and is kept also when the run was
 * stopped. An error says which targets were published before it.
 */
export async function publish(
  stages: readonly SinkStage[],
  run: { readonly queue: Sink | undefined; readonly complete: boolean },
): Promise<void> {
  const { queue, complete } = run
  await queue?.flush()
  await queue?.seal?.()
  if (complete) for (const { sink } of stages) await sink.seal?.()
  await queue?.finish?.(true)
  for (const [i, stage] of stages.entries()) {
    try {
      stage.published = (await stage.sink.finish?.(complete)) ?? true
    } catch (error) {
      throw partlyPublished(error, stages, i)
    }
  }
}

function partlyPublished(error: unknown, stages: readonly SinkStage[], failed: number): unknown {
  const names = (some: readonly SinkStage[]): readonly string[] =>
    some.filter(({ sink }) => sink.seal !== undefined).map(({ name }) => name)
  const published = names(stages.slice(0, failed))
  const left = names(stages.slice(failed + 1))
  if (!(error instanceof HeadraceError) || published.length + left.length === 0) return error
  const facts = [
    `published before: ${published.length === 0 ? 'none' : published.join(', ')}`,
    ...(left.length === 0 ? [] : [`not published: ${left.join(', ')}`]),
  ]
  return new HeadraceError(error.code, `${error.message}; ${facts.join('; ')}`, {
    hint: error.hint,
    at: error.at,
    details: { ...error.details, published, not_published: [stages[failed]!.name, ...left] },
    cause: error,
  })
}
