import { join } from 'node:path'
import type { Sink } from '../connectors/contract.ts'
import type { Schema } from '../core/types.ts'
import type { OperatorContext } from '../operators/operator.ts'
import { Checkpointing } from '../runtime/delivery/checkpointing.ts'
import {
  carryOver,
  checkIncarnation,
  type Running,
  restoreCounts,
  restoredSource,
  restoreGraph,
  takeCut,
} from '../runtime/delivery/cut.ts'
import { type Cut, Cycle, type CycleForm } from '../runtime/delivery/cycle.ts'
import { type Led, ledPositions, restoreLed } from '../runtime/delivery/led.ts'
import { forgetAll } from '../runtime/delivery/settle.ts'
import { Drive, type DriveInput, type OpenSource } from '../runtime/drive/drive.ts'
import { buildGraph, type Graph } from '../runtime/graph/build.ts'
import type { Origin } from '../runtime/graph/origin.ts'
import { SinkStage } from '../runtime/graph/sink-stage.ts'
import { outputsHash, type ScriptPlan, type SourceNode } from '../sql/plan.ts'
import { BadRows, exprPolicy } from './bad-rows.ts'
import type { DeadLetters } from './dead-letters.ts'
import { DeadLetterRate } from './dlq/dead-letter-rate.ts'
import { openQueue } from './dlq/open-queue.ts'
import type { Rerun } from './dlq/rerun.ts'
import { Retries, withRetries } from './dlq/retries.ts'
import { mustReset, refuseUnknownSources } from './durable/reset-sources.ts'
import type { Durable, PlanFacts } from './durable/start.ts'
import type { Endpoint } from './endpoint.ts'
import type { Engine } from './engine.ts'
import { type DeadLetterQueue, QUEUE_PART } from './letter-queue.ts'
import { type OpenPlace, openSink, openSource } from './open.ts'
import { type PlannedSink, planSinks } from './planned-sinks.ts'
import { publish } from './publish.ts'
import { refuseAdding, refuseReplay } from './refuse-replaced.ts'
import { regimeOf } from './regime.ts'
import { retriedWrite } from './retried-write.ts'
import { balanceOf, isRowToRow, type RowBalance } from './row-balance.ts'
import { RunControl, type RunFacts } from './run-control.ts'
import type { Digest, Progress } from './run-digest.ts'
import { runFacts } from './run-facts.ts'
import { BytesIn, savedCounters } from './saved-counters.ts'
import { settleSinks } from './settle-sinks.ts'
import { SourceIssues } from './source-issues.ts'

export interface PipelineInput {
  readonly plan: ScriptPlan
  readonly baseDirectory: string
  readonly deadLetters: DeadLetters
  /** Where the rows of queries without INTO go; called once per such output. */
  readonly client: (schema: Schema, form: { readonly changes: boolean }) => Promise<Sink> | Sink
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** `file:line:column` of a span of the script, for row errors. */
  readonly sqlPosition?: ((span: { readonly start: number; readonly end: number }) => string) | undefined
  /** Faults that do no harm yet: a mark that could not be made, a commit that is tried again. */
  readonly onWarning?: ((error: Error) => void) | undefined
  /** Dead letters that run again in place of the rows of the sources. */
  readonly rerun?: Rerun | undefined
  /** Holds a run without checkpoints between two rows, for as long as the task takes. */
  readonly onHold?: ((hold: <T>(task: () => Promise<T>) => Promise<T>) => void) | undefined
  /** What a user should know while it runs: it waits, it goes on. */
  readonly onNote?: ((text: string) => void) | undefined
}

/** One run of one plan from its sources to its sinks: with checkpoints, or without (rulings 66, 68). */
export class Pipeline {
  readonly #engine: Engine
  readonly #input: PipelineInput
  readonly #context: OperatorContext
  readonly #graph: Graph
  readonly #bytesIn: BytesIn
  readonly #badRows: BadRows
  /** What the sink that leads held at the start, where it is more than a snapshot. */
  #led: Led | undefined
  readonly #planned: readonly PlannedSink[]
  readonly #sinks: SinkStage[] = []
  readonly #sources: OpenSource[] = []
  /** What identifies the log behind each source, by its node. */
  readonly #incarnations = new Map<string, string>()
  /** Ends the run from inside: all that waits goes on or gives up. */
  readonly #stop = new AbortController()
  #queue: DeadLetterQueue | undefined
  #rate: DeadLetterRate | undefined
  #retries: Retries | undefined
  #control: RunControl | undefined
  /** Sources that have started anew, by id. */
  readonly #reset = new Set<string>()
  #steps = 0

  constructor(engine: Engine, input: PipelineInput) {
    this.#engine = engine
    this.#input = input
    const { plan, deadLetters: letters, sqlPosition } = input
    const policy = exprPolicy(plan)
    this.#badRows = new BadRows({ letters, policy, secrets: engine.secrets, sqlPosition })
    const onNull = policy === 'null' ? 'null' : 'drop'
    this.#context = engine.operatorContext((error) => this.#badRows.onRowError(error), onNull)
    this.#graph = buildGraph(plan, this.#context)
    this.#bytesIn = new BytesIn(this.#graph)
    this.#planned = planSinks(plan, this.#graph)
    this.#badRows.sources = this.#sourceNodes.map(({ node }) => node)
  }

  get #sourceNodes(): { readonly origin: Origin; readonly node: SourceNode }[] {
    return this.#graph.origins.flatMap((origin) =>
      origin.node.kind === 'source' ? [{ origin, node: origin.node }] : [],
    )
  }

  /** Throws when the script has no source of one of these names. */
  refuseUnknownSources(names: readonly string[]): void {
    refuseUnknownSources(
      this.#sourceNodes.map(({ node }) => node),
      names,
    )
  }

  /** What a state must fit to be taken up. */
  get facts(): Omit<PlanFacts, 'pipeline'> {
    const sinks = this.#planned.map(({ part }) => part)
    return {
      planHash: outputsHash(this.#input.plan.outputs, sinks),
      operators: this.#graph.stages.map(({ id }) => id),
      sources: this.#sourceNodes.map(({ node }) => node.id),
      sourceNames: Object.fromEntries(
        this.#sourceNodes.map(({ node }) => [node.id, { name: node.name, uri: node.info.uri }]),
      ),
      sinks,
      sinkUris: Object.fromEntries(this.#planned.map(({ part, name }) => [part, name])),
      bounded: this.#input.plan.outputs.every(({ root }) => root.traits.bounded),
    }
  }

  async run(signal: AbortSignal, durable?: Durable): Promise<Digest> {
    const { clock, secrets } = this.#engine
    const started = clock.elapsedMs()
    try {
      await this.#openSinks(durable, AbortSignal.any([signal, this.#stop.signal]))
      if (durable === undefined) {
        await this.#openSources(undefined)
        const drive = this.#drive(signal)
        this.#input.onHold?.((task) => drive.hold(task))
        const complete = await drive.run()
        await this.#writeDeadLetters()
        await publish(this.#sinks, { queue: this.#queue?.sink, complete })
        return this.#digest(complete, clock.elapsedMs() - started)
      }
      const { complete, epoch } = await this.#runDurable(durable, signal)
      return { ...this.#digest(complete, clock.elapsedMs() - started), epoch }
    } catch (error) {
      throw secrets.redactError(error)
    } finally {
      await this.close()
    }
  }

  async #runDurable(durable: Durable, signal: AbortSignal): Promise<{ complete: boolean; epoch: bigint }> {
    const { restored, snapshots, settings } = durable
    const running = this.#running(durable)
    const { rerun, deadLetters } = this.#input
    // What a run that failed before this one counted comes again.
    deadLetters.restore({}, {})
    if (rerun !== undefined) this.#beginRerun(running, durable)
    else if (durable.continues) this.#beginAdded()
    else if (restored !== undefined) restoreGraph(running, restored)
    const cycleSinks = [
      ...this.#sinks,
      ...(this.#queue === undefined ? [] : [{ part: QUEUE_PART, sink: this.#queue.sink }]),
    ]
    const warn = (error: Error): void => this.#input.onWarning?.(error)
    const pipeline = this.#input.plan.name!
    const sinkLed = rerun === undefined && regimeOf(this.#input.plan) === 'sink-led'
    const sources = this.#sourceNodes.map(({ node }) => node.id)
    this.#led = await settleSinks(cycleSinks, durable, { pipeline, sinkLed, sources })
    if (this.#led !== undefined) restoreLed(running, this.#led)
    if (restored !== undefined) await snapshots.markDone(restored.id)
    // The run before read everything, and died before all of it was committed.
    if (durable.completed && rerun === undefined) {
      await forgetAll(cycleSinks, warn)
      return { complete: true, epoch: restored!.epoch }
    }
    await this.#openSources(durable)
    for (const { node, source } of this.#sources) {
      const incarnation = await source.incarnation()
      const stored = this.#reset.has(node.id) ? undefined : restoredSource(node.id, restored).incarnation
      checkIncarnation(node.name, stored, incarnation)
      this.#incarnations.set(node.id, incarnation)
    }
    const { afterItem } = durable.options
    const take = (): Promise<unknown> => checkpointing.trigger('manual')
    // What a first start finds is where it begins (names that count, ends of files): a second one must not find anew.
    let isKnown = restored !== undefined
    const onFound = (): void => {
      if (isKnown) return
      isKnown = true
      checkpointing.take({ reason: 'interval', last: false }).catch(() => undefined)
    }
    const drive = this.#drive(AbortSignal.any([signal, this.#stop.signal]), durable, {
      onFound,
      afterItem: afterItem === undefined ? undefined : () => afterItem(take),
    })
    const issues = new SourceIssues(warn)
    const failures: unknown[] = []
    const cycle: Cycle = new Cycle({
      snapshots,
      sinks: cycleSinks,
      sources: this.#sources.map(({ node, source }) => ({ id: node.id, ack: source.ack?.bind(source) })),
      cut: (epoch, form) => control.between(() => this.#cut(running, durable, { epoch, form })),
      clock: this.#engine.clock,
      limits: {
        alignMs: settings.timeout_align,
        prepareMs: settings.timeout_prepare,
        persistMs: settings.timeout_persist,
        commitWarnMs: settings.commit_warn,
      },
      onPhase: (phase, epoch) => {
        if (phase === 'begin') void issues.look(this.#sources).catch(warn)
        durable.options.onPhase?.(phase, epoch)
      },
      onRunning: (isRunning) => {
        drive.yielding = isRunning
      },
      onWarning: warn,
      sinkLed,
      onRejects: (part, epoch, rejects) => this.#badRows.onCommitRejects(part, epoch, rejects),
      signal,
      isWaiting: () => this.#queue?.wait !== undefined,
    })
    const checkpointing: Checkpointing = new Checkpointing({
      cycle,
      snapshots,
      clock: this.#engine.clock,
      intervalMs: settings.interval ?? null,
      idleMs: settings.idle,
      activity: () => this.#steps,
      onFailure: (error) => {
        failures.push(error)
        this.#stop.abort()
      },
    })
    const { plan } = this.#input
    const retrying = { plan, place: this.#place(durable), sources: this.#sources, drive, letters: deadLetters }
    if (rerun === undefined) this.#retries = Retries.of(this.#queue, retrying)
    const control: RunControl = new RunControl({ drive, cycle, checkpointing }, this.#runFacts(durable), {
      elapsedMs: () => this.#engine.clock.elapsedMs(),
      stop: () => this.#stop.abort(),
      onResume: () => this.#rate?.reset(),
    })
    this.#control = control
    this.#rate = this.#deadLetterRate(control)
    // What is paused ends, too.
    const release = (): void => control.resume()
    for (const one of [signal, this.#stop.signal]) one.addEventListener('abort', release, { once: true })
    durable.options.onControl?.(control)
    try {
      const complete = await withRetries(drive, this.#retries, warn)
      await checkpointing.quiet()
      if (failures.length > 0) throw failures[0]
      await this.#writeDeadLetters()
      const { epoch } = await checkpointing.take({
        reason: 'stop',
        last: rerun === undefined ? complete : durable.completed,
      })
      this.#rate?.throwIfExceeded()
      if (complete) await forgetAll(cycleSinks, warn)
      return { complete, epoch }
    } catch (error) {
      // A checkpoint that failed ends the run: what it interrupts is no other fault.
      throw failures[0] ?? error
    } finally {
      signal.removeEventListener('abort', release)
      durable.options.onControl?.(undefined)
      await checkpointing.quiet()
    }
  }

  /** Windows, counts and limits begin anew: what was added is a run of its own, behind the positions of the one before. */
  #beginAdded(): void {
    for (const origin of this.#graph.origins) origin.ended = origin.node.kind === 'values'
    const replaced = this.#sinks.find(({ sink }) => sink.replaces === true)
    if (replaced !== undefined) throw refuseAdding(this.#input.plan.name!, replaced.name)
  }

  /** Only numbers are restored: the rows that run again meet no state, and what was read to its end gives them. */
  #beginRerun(running: Running, { restored, completed }: Durable): void {
    if (restored !== undefined) restoreCounts(running, restored)
    for (const origin of this.#graph.origins) origin.ended = origin.node.kind === 'values'
    const replaced = completed ? this.#sinks.find(({ sink }) => sink.replaces === true) : undefined
    if (replaced !== undefined) throw refuseReplay(this.#input.plan.name!, replaced.name)
  }

  async #cut(
    running: Running,
    { restored }: Durable,
    { epoch, form }: { readonly epoch: bigint; readonly form: CycleForm },
  ): Promise<Cut> {
    const cut = await takeCut(running, epoch, form)
    return this.#input.rerun === undefined || restored === undefined ? cut : carryOver(cut, restored)
  }

  #deadLetterRate(control: RunControl): DeadLetterRate | undefined {
    const { plan, deadLetters, onNote, rerun } = this.#input
    if (rerun !== undefined) return undefined
    return DeadLetterRate.of(plan, {
      clock: this.#engine.clock,
      rows: () => this.#rowsIn() + this.#badRows.rejects,
      entries: () => deadLetters.kept,
      isBounded: this.facts.bounded,
      pause: (detail) => control.pause({ cause: 'dlq_rate', detail }),
      stop: () => this.#stop.abort(),
      onNote: (text) => onNote?.(text),
    })
  }

  #runFacts(durable: Durable): RunFacts {
    const [input, graph, sinks, context, queue] = [this.#input, this.#graph, this.#sinks, this.#context, this.#queue]
    const parts = { input, graph, sinks, context, queue, rowsIn: () => this.#rowsIn() }
    return runFacts({ ...parts, nowMicros: this.#engine.clock.nowMicros() }, durable)
  }

  #running(durable: Durable): Running {
    return {
      graph: this.#graph,
      sources: this.#sources,
      sinks: this.#sinks,
      beside: () => (this.#queue === undefined ? [] : [{ part: QUEUE_PART, sink: this.#queue.sink }]),
      incarnations: this.#incarnations,
      counters: savedCounters(this.#context.counters, this.#input.deadLetters, this.#bytesIn),
      meta: (form) => durable.meta(form),
    }
  }

  async #openSinks(durable: Durable | undefined, signal: AbortSignal): Promise<void> {
    const place = this.#place(durable)
    await this.#openQueue(durable, signal)
    for (const [writer, planned] of this.#planned.entries()) {
      const { name, part, target, schema, form, oldImages, paths } = planned
      const sink =
        this.#input.rerun?.openSink?.(planned) ??
        (target === undefined
          ? await this.#input.client(schema, { changes: form.changes })
          : await openSink(place, target.info.handle as Endpoint, { schema, part, writer, form }))
      const write = retriedWrite(sink, (target?.info.handle as Endpoint | undefined)?.options, {
        clock: this.#engine.clock,
        signal,
        onRetry: (error) => this.#input.onWarning?.(error),
      })
      const stage = new SinkStage({ name, part, sink, oldImages, write }, (rejects, batch) =>
        this.#badRows.onSinkRejects(planned, rejects, batch),
      )
      this.#sinks.push(stage)
      for (const [i, path] of paths.entries()) {
        if (i > 0) stage.addInput()
        path(stage)
      }
    }
    for (const { stage, node } of this.#graph.late) {
      if (node.late === 'dlq') stage.connectLate(this.#badRows.lateLetters())
    }
  }

  #place(durable: Durable | undefined): OpenPlace {
    const { plan, baseDirectory } = this.#input
    const folder = durable?.folder
    const onHalf = (): void => void this.#control?.checkpoint().catch(() => undefined)
    const spools = folder === undefined ? undefined : { directory: join(folder, 'epochs'), onHalf }
    return { engine: this.#engine, plan, baseDirectory, durable: durable?.place, spools }
  }

  async #openQueue(durable: Durable | undefined, signal: AbortSignal): Promise<void> {
    if (this.#input.rerun?.openSink !== undefined) return
    this.#queue = await openQueue({
      place: this.#place(durable),
      letters: this.#input.deadLetters,
      durable,
      writer: this.#planned.length,
      sinks: this.#planned.map(({ part }) => part),
      incarnationOf: (id) => (id === undefined ? '' : (this.#incarnations.get(id) ?? '')),
      signal,
      onNote: (text) => this.#input.onNote?.(text),
    })
  }

  async #openSources(durable: Durable | undefined): Promise<void> {
    for (const { origin, node } of this.#sourceNodes) {
      const { options } = node.info.handle as Endpoint
      const maxRecords = options['max_records'] as number | undefined
      const idleMs = node.info.bounded ? undefined : (options['idle_timeout'] as number | undefined)
      const { rerun } = this.#input
      if (rerun !== undefined) {
        const source = rerun.openSource(this.#place(durable), node, durable?.restored)
        this.#sources.push({ origin, node, source, maxRecords: undefined, positions: new Map() })
        continue
      }
      const led = this.#led
      const stored = restoredSource(node.id, durable?.restored)
      const restored = led === undefined ? stored : { ...stored, positions: ledPositions(node.id, led.offsets) }
      const again = durable?.continues === true
      const source = await openSource(this.#place(durable), node, { state: restored.state, again })
      const reset = durable?.options.resetSources
      if (reset === undefined || !(await mustReset(node, source, { restored, reset }))) {
        this.#sources.push({ origin, node, source, maxRecords, idleMs, again, positions: restored.positions })
        continue
      }
      await source[Symbol.asyncDispose]()
      this.#input.onWarning?.(new Error(`source '${node.name}' is not the one in the checkpoint: it starts anew`))
      const anew = await openSource(this.#place(durable), node, { state: undefined, again: false })
      origin.ended = false
      this.#reset.add(node.id)
      this.#sources.push({ origin, node, source: anew, maxRecords, idleMs, positions: new Map() })
    }
  }

  #drive(signal: AbortSignal, durable?: Durable, hooks: Pick<DriveInput, 'onFound' | 'afterItem'> = {}): Drive {
    const { onProgress } = this.#input
    return new Drive(
      {
        graph: this.#graph,
        sources: this.#sources,
        context: this.#context,
        clock: durable?.clock ?? this.#engine.clock,
        onReject: (reject, source, split) => this.#badRows.onReject(reject, source, split),
        beforeStep: (source) => {
          this.#steps++
          this.#badRows.source = source
        },
        afterStep: () => this.#writeDeadLetters(),
        ...hooks,
        onProgress: onProgress === undefined ? undefined : () => onProgress(this.#progress()),
      },
      signal,
    )
  }

  async #writeDeadLetters(): Promise<void> {
    const { plan, rerun, deadLetters } = this.#input
    const queue = this.#queue
    if (this.#retries?.isRunning === true) this.#retries.afterStep(deadLetters.take())
    else if (rerun === undefined)
      await queue?.write({ pipeline: plan.name, nowMicros: this.#context.current.nowMicros })
    else rerun.afterStep(this.#badRows.source, deadLetters.take(), queue?.change?.bind(queue))
    this.#rate?.note()
  }

  /** Frees what a pipeline holds; `run` does so itself. */
  async close(): Promise<void> {
    await this.#queue?.[Symbol.asyncDispose]()
    for (const { sink } of this.#sinks) await sink[Symbol.asyncDispose]()
    for (const { source } of this.#sources) await source[Symbol.asyncDispose]()
    for (const stage of this.#graph.stages) stage.operator[Symbol.dispose]()
    this.#context.scratch[Symbol.dispose]()
  }

  #progress(): Progress {
    return {
      rowsIn: this.#rowsIn(),
      rowsOut: this.#sinks.reduce((rows, sink) => rows + sink.rows, 0),
      lateRows: this.#context.counters.lateRows,
      deadLetters: this.#input.deadLetters.count,
    }
  }

  #rowsIn(): number {
    return this.#graph.origins.reduce((rows, origin) => rows + origin.rows, 0)
  }

  #digest(complete: boolean, elapsedMs: number): Digest {
    return {
      complete,
      rowsIn: this.#rowsIn(),
      batchesIn: this.#graph.origins.reduce((batches, origin) => batches + origin.batches, 0),
      bytesIn: this.#bytesIn.value,
      rowsOut: this.#sinks.map(({ name, rows, published }) => ({ target: name, rows, published })),
      lateRows: this.#context.counters.lateRows,
      rejected: this.#input.deadLetters.byCode,
      misfits: [...this.#badRows.misfits],
      elapsedMs,
      balance: this.#balance(),
    }
  }

  #balance(): RowBalance | undefined {
    const { plan, deadLetters: letters } = this.#input
    if (!isRowToRow(plan)) return undefined
    return balanceOf({
      rowsIn: this.#rowsIn(),
      rowsOut: this.#sinks.reduce((rows, sink) => rows + sink.rows, 0),
      lateRows: this.#context.counters.lateRows,
      rejected: letters.count,
      ...letters.shares,
    })
  }
}
