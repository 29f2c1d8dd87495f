import { changeSymbols } from '../../src/core/change.ts'
import type { Element } from '../../src/core/element.ts'
import { HeadraceError } from '../../src/core/errors.ts'
import { BatchBuilder, type Row, rowAt } from '../../src/core/row-batch.ts'
import type { Schema } from '../../src/core/types.ts'
import { jsonOfValue } from '../../src/expr/value-json.ts'
import type { Engine } from '../../src/headrace/engine.ts'
import type { OperatorContext } from '../../src/operators/operator.ts'
import { buildGraph, type Graph } from '../../src/runtime/graph/build.ts'
import type { Origin } from '../../src/runtime/graph/origin.ts'
import { type Receiver, stateKey } from '../../src/runtime/graph/stage.ts'
import type { ScriptPlan } from '../../src/sql/plan.ts'

/** What is pushed into the graph of a plan; origins count in the order of the graph. */
export type GraphStep =
  | { readonly kind: 'rows'; readonly origin: number; readonly rows: readonly Row[] }
  | { readonly kind: 'clock'; readonly micros: number }
  | { readonly kind: 'end'; readonly origin: number }

const SPLIT = 'only'

/** A plan's graph without sources and sinks: what comes out is taken down as text. */
class GraphRun implements Disposable {
  readonly graph: Graph
  readonly #context: OperatorContext

  constructor(plan: ScriptPlan, engine: Engine, taken: string[]) {
    this.#context = engine.operatorContext(({ code, detail }) => taken.push(`${code} ${detail}`))
    this.graph = buildGraph(plan, this.#context)
    for (const [i, { root }] of plan.outputs.entries()) this.graph.place(root).connect(recorder(`${i}`, taken))
    for (const [i, { stage }] of this.graph.late.entries()) stage.connectLate(recorder(`late ${i}`, taken))
    for (const origin of this.graph.origins) if (origin.node.kind === 'source') origin.addSplit(SPLIT)
  }

  get nowMicros(): number {
    return this.#context.current.nowMicros
  }

  set nowMicros(micros: number) {
    this.#context.current.nowMicros = micros
  }

  async take(step: GraphStep): Promise<void> {
    const { current, scratch } = this.#context
    scratch.reset()
    if (step.kind === 'clock') {
      current.nowMicros = step.micros
      for (const stage of this.graph.stages) {
        const { operator } = stage
        while ((operator.nextClockMicros?.() ?? Number.POSITIVE_INFINITY) <= step.micros) {
          await stage.emit(operator.onClock!(step.micros))
        }
      }
      return
    }
    const origin = this.graph.origins[step.origin]!
    current.split = SPLIT
    if (step.kind === 'rows') await this.#push(origin, step.rows)
    else {
      if (origin.node.kind === 'source') await origin.finishSplit(SPLIT)
      await origin.end()
    }
  }

  async #push(origin: Origin, rows: readonly Row[]): Promise<void> {
    using builder = new BatchBuilder(origin.node.schema, rows.length, this.#context.memory)
    for (const { values, change } of rows) builder.append(values, change)
    await origin.batch(builder.finish())
  }

  /** The states of all stages at a barrier, as bytes. */
  async states(epoch: bigint): Promise<Map<string, Buffer>> {
    const states = new Map<string, Buffer>()
    const keep = (key: string, state: { chunks(): Iterable<Uint8Array> }): void => {
      if (states.has(key)) throw new Error(`${key} is kept twice`)
      states.set(key, Buffer.concat([...state.chunks()]))
    }
    for (const origin of this.graph.origins)
      await origin.barrier({ kind: 'barrier', epoch, last: false, keep, prepared: () => undefined })
    return states
  }

  restore(states: ReadonlyMap<string, Buffer>): void {
    if (states.size !== this.graph.stages.length)
      throw new Error(`${states.size} states, ${this.graph.stages.length} stages`)
    for (const stage of this.graph.stages) stage.restore(states.get(stateKey(stage.id))!)
  }

  [Symbol.dispose](): void {
    for (const { operator } of this.graph.stages) operator[Symbol.dispose]()
    this.#context.scratch[Symbol.dispose]()
  }
}

function recorder(name: string, taken: string[]): Receiver {
  return {
    finished: false,
    async receive(element: Element) {
      if (element.kind === 'batch') {
        const { batch } = element
        for (let row = 0; row < batch.rows; row++) taken.push(`${name} ${rowText(rowAt(batch, row), batch.schema)}`)
      } else if (element.kind === 'watermark') taken.push(`${name} W ${element.micros}`)
      else if (element.kind === 'end') taken.push(`${name} end`)
    },
  }
}

const rowText = ({ values, change }: Row, schema: Schema): string =>
  `${changeSymbols[change]} ${values.map((value, i) => (Object.is(value, -0) ? '-0' : jsonOfValue(value, schema.fields[i]!.type))).join(' | ')}`

/**
 * Runs the steps; what came out, in order, up to an error that ends the run. With `cutAt`, a barrier goes through before
 * that step, and another graph goes on from the states.
 */
export async function runGraph(
  plan: ScriptPlan,
  engine: Engine,
  steps: readonly GraphStep[],
  cutAt?: number,
): Promise<readonly string[]> {
  const taken: string[] = []
  let run = new GraphRun(plan, engine, taken)
  try {
    for (const [i, step] of steps.entries()) {
      if (i === cutAt) {
        const states = await run.states(1n)
        const { nowMicros } = run
        run[Symbol.dispose]()
        run = new GraphRun(plan, engine, taken)
        run.restore(states)
        run.nowMicros = nowMicros
      }
      await run.take(step)
    }
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error
    taken.push(`${error.code}: ${error.message}`)
  } finally {
    run[Symbol.dispose]()
  }
  return taken
}
