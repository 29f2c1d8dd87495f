import type { Span } from '../../expr/bound.ts'
import type { EmitNode, Name, Query, Target } from '../ast.ts'
import type {
  CreateSink,
  CreateStream,
  CreateView,
  Explain,
  Insert,
  Statement,
  StatementBody,
} from '../ast-statements.ts'
import type { OptionEntry } from '../catalogue.ts'
import type { Script } from '../parser/script.ts'
import type { Environment } from './context.ts'
import { bindSourceStream } from './create-stream.ts'
import { fault, unsupported } from './failure.ts'
import { renamed } from './from.ts'
import { entries } from './outside.ts'
import { bindNestedQuery, bindQuery, fixedLateness, withColumns } from './query.ts'
import { aliasesOf, refuseDuplicates, selectAll, shapeAs, underNames } from './query-shape.ts'
import { type Relation, type Sink, visible } from './relation.ts'
import { findObject, type QueryContext, type ScriptObject } from './script-scope.ts'
import { createSecret } from './secrets.ts'
import {
  applyJobOptions,
  applySet,
  checkAnnotations,
  refuseUnknownOption,
  type SplitOptions,
  settingMicros,
  splitOptions,
} from './settings.ts'
import { Sources } from './sources.ts'
import { statementName } from './statement-name.ts'
import { openSink } from './targets.ts'
import { expandVariables } from './variables.ts'
import { windowTimes } from './window-times.ts'

/** One query and where its rows go. */
export interface BoundOutput {
  readonly relation: Relation
  readonly targets: readonly (Sink | 'client')[]
  /** Positions of the columns marked PRIMARY KEY. */
  readonly primaryKey: readonly number[]
  readonly emit: EmitNode | undefined
  /** Of the query, for messages. */
  readonly span: Span
  /** A derived stream that is printed only when nothing else reads it. */
  readonly stream: string | undefined
}

export interface BoundScript {
  /** `@name`, else the single CREATEd object. */
  readonly name: string | undefined
  readonly outputs: readonly BoundOutput[]
  /** EXPLAIN statements, with what their statement gives. */
  readonly explains: readonly { readonly explain: Explain; readonly outputs: readonly BoundOutput[] }[]
}

/** Binds all statements in order; a statement that fails leaves the others. */
export async function bindScript(script: Script, environment: Environment): Promise<BoundScript> {
  const binder = new ScriptBinder(script, environment)
  return binder.bind()
}

class ScriptBinder {
  readonly #script: Script
  readonly #environment: Environment
  readonly #context: QueryContext
  readonly #outputs: BoundOutput[] = []
  readonly #explains: { explain: Explain; outputs: BoundOutput[] }[] = []
  readonly #created: string[] = []

  constructor(script: Script, environment: Environment) {
    this.#script = script
    this.#environment = environment
    this.#context = {
      environment,
      sources: new Sources(environment, windowTimes(script.statements)),
      objects: new Map(),
      ctes: new Map(),
      read: new Set(),
      query: bindNestedQuery,
    }
  }

  async bind(): Promise<BoundScript> {
    const { statements, annotations } = this.#script
    checkAnnotations([...annotations, ...statements.flatMap((statement) => statement.annotations)], this.#environment)
    for (const { name, value } of annotations) this.#environment.settings.set(`@${name}`, value)
    for (const name of this.#script.brokenNames) {
      this.#context.objects.set(name, { kind: 'stream', name, relation: undefined, derived: true })
    }
    for (const statement of statements) await this.#statement(statement)
    const read = this.#context.read
    const outputs = this.#outputs.filter((output) => output.stream === undefined || !read.has(output.stream))
    const named = [...annotations, ...(statements[0]?.annotations ?? [])].find(({ name }) => name === 'name')
    const single = this.#created.length === 1 ? this.#created[0] : undefined
    return { name: named?.value || single, outputs, explains: this.#explains }
  }

  async #statement({ body }: Statement): Promise<void> {
    const { reporter } = this.#environment
    const outputs = await reporter.attemptAsync(() => this.#body(body))
    if (outputs !== undefined) this.#outputs.push(...outputs)
    else this.#forget(body)
  }

  /** A broken definition keeps its name, so that its readers fail without a word. */
  #forget(body: StatementBody): void {
    if (body.kind === 'create-function') this.#environment.brokenFunctions.add(body.name.text.toUpperCase())
    if (!makesRelation(body)) return
    const name = body.name.text
    if (this.#context.objects.has(name)) return
    const object: ScriptObject =
      body.kind === 'create-sink'
        ? { kind: 'sink', name, sink: undefined }
        : { kind: body.kind === 'create-view' ? 'view' : 'stream', name, relation: undefined, derived: true }
    this.#context.objects.set(name, object)
  }

  async #body(body: StatementBody): Promise<readonly BoundOutput[]> {
    switch (body.kind) {
      case 'select-statement':
        return [await this.#query(body.query, {})]
      case 'create-stream':
        return this.#createStream(body)
      case 'create-view':
        return this.#createView(body)
      case 'create-sink':
        return this.#createSink(body)
      case 'create-secret':
        await createSecret(body, this.#environment)
        return []
      case 'insert':
        return [await this.#insert(body)]
      case 'set':
        applySet(body.name, body.value, body.span, this.#environment)
        return []
      case 'explain':
        return this.#explain(body)
      default:
        return unsupported(statementName(body), body.span)
    }
  }

  async #explain(body: Explain): Promise<readonly BoundOutput[]> {
    if (body.analyze) unsupported('EXPLAIN ANALYZE', body.span)
    if (body.stage === 'delivery' || body.stage === 'graph') {
      unsupported(`EXPLAIN ${body.stage} in a script`, body.span, 'use headrace explain --stage graph')
    }
    if (body.format === 'mermaid') unsupported('FORMAT mermaid', body.span, 'use FORMAT text or json')
    if (body.stage === 'tokens' || body.stage === 'ast') {
      this.#explains.push({ explain: body, outputs: [] })
      return []
    }
    const read = new Set(this.#context.read)
    const outputs = await this.#body(body.statement.body)
    // A stream that only EXPLAIN reads is still read by nobody.
    for (const name of this.#context.read) if (!read.has(name)) this.#context.read.delete(name)
    this.#explains.push({ explain: body, outputs: [...outputs] })
    return []
  }

  /** A query with its trailing clauses; `targets` come from INSERT or CREATE SINK, else from INTO. */
  async #query(query: Query, around: Around): Promise<BoundOutput> {
    const { targets = [], stream, options: extra = [], columns = [] } = around
    const { spans, into, emit } = query.trailing
    if (targets.length > 0 && spans.into !== undefined) {
      fault('sql_duplicate_clause', 'the target is given twice', spans.into, { hint: 'leave out INTO' })
    }
    const options = splitOptions(query.trailing.options, aliasesOf(query))
    applyJobOptions(options.job, this.#environment)
    const bound = await this.#bindQuery(query, options)
    const relation = columns.length === 0 ? bound.relation : underNames(bound.relation, columns)
    const wanted = targets.length > 0 ? targets : into
    const entriesOfSink = [...extra, ...entries([...options.plain, ...options.sink], this.#environment)]
    const sinks = await this.#sinks(wanted, entriesOfSink, relation, options)
    const clients = sinks.length === 0 ? (['client'] as const) : []
    const output: BoundOutput = {
      relation,
      targets: [...sinks, ...clients],
      primaryKey: bound.primaryKey,
      emit,
      span: query.span,
      stream,
    }
    if (sinks.length > 0) refuseDuplicates(visible(relation.columns), query.span)
    return output
  }

  async #bindQuery(query: Query, options: SplitOptions) {
    const { trailing } = query
    const environment = this.#environment
    const late = await this.#late(query)
    const setting = settingMicros('allowed_lateness', query.span, environment)
    const latenessMicros = fixedLateness(trailing) ?? setting
    const sourceOptions = (alias: string | undefined) => [
      ...entries(options.source, environment),
      ...entries(options.named.get(alias?.toLowerCase() ?? '') ?? [], environment),
    ]
    return bindQuery(query, { emission: { emit: trailing.emit, latenessMicros, late }, sourceOptions }, this.#context)
  }

  /** LATE DATA TO, else the setting `late_data`. */
  async #late(query: Query): Promise<Sink | 'dlq' | undefined> {
    const written = query.trailing.late
    if (written !== undefined) return openSink(written, [], this.#context, () => false)
    const setting = this.#environment.settings.get('late_data')
    if (setting === undefined || setting === 'drop') return undefined
    if (setting === 'dlq') return 'dlq'
    if (setting === 'update') return unsupported(`late_data = '${setting}'`, query.span, 'use LATE DATA TO')
    return openSink({ kind: 'uri', uri: setting, span: query.span }, [], this.#context, () => false)
  }

  async #sinks(targets: readonly Target[], options: readonly OptionEntry[], relation: Relation, split: SplitOptions) {
    const names = new Set(visible(relation.columns).map((column) => column.name))
    const sinks: Sink[] = []
    for (const target of targets) sinks.push(await openSink(target, options, this.#context, (name) => names.has(name)))
    const [unused] = split.plain
    if (sinks.length === 0 && unused !== undefined) {
      refuseUnknownOption(unused)
      this.#environment.reporter.report({
        code: 'sql_option_unused',
        message: `option "${unused.name}" has no effect here: the rows go to the client`,
        span: unused.span,
        hint: `remove it, or write source.${unused.name} if the source is meant`,
      })
    }
    const [named] = sinks
    if (named !== undefined && unused !== undefined && sinks.every((sink) => sink.name !== sink.info.uri)) {
      refuseUnknownOption(unused)
      this.#environment.reporter.report({
        code: 'sql_option_unused',
        message: `option "${unused.name}" has no effect here: sink "${named.name}" has been made without it`,
        span: unused.span,
        hint: `move it: CREATE SINK ${named.name} INTO … WITH (${unused.name} = …)`,
      })
    }
    return sinks
  }

  async #createStream(body: CreateStream): Promise<readonly BoundOutput[]> {
    if (this.#exists(body)) return []
    const { objects } = this.#context
    const name = body.name.text
    this.#created.push(name)
    if (body.query === undefined) {
      const { uri, options } = this.#sourceOf(body)
      const relation = await bindSourceStream(body, uri, options, this.#context)
      objects.set(name, { kind: 'stream', name, relation, derived: false })
      return []
    }
    const output = await this.#query(body.query, { stream: name })
    const shaped = shapeAs(output.relation, body, this.#environment)
    const relation: Relation = { ...shaped, label: `stream "${name}"`, boundary: true }
    refuseDuplicates(visible(relation.columns), body.query.span)
    objects.set(name, { kind: 'stream', name, relation, derived: true })
    const toClient = output.targets[0] === 'client'
    return [{ ...output, relation, stream: toClient ? name : undefined }]
  }

  /** URI and options of CREATE STREAM … FROM 'uri' WITH (…) or WITH (uri = …). */
  #sourceOf(body: CreateStream): { uri: string; options: readonly OptionEntry[] } {
    const environment = this.#environment
    const options = splitOptions(body.options, new Set())
    applyJobOptions(options.job, environment)
    const plain = [...options.plain, ...options.source]
    const named = plain.find((option) => ['uri', 'datasource', 'connector'].includes(option.name.toLowerCase()))
    const rest = entries(
      plain.filter((option) => option !== named),
      environment,
    )
    if (body.from !== undefined)
      return { uri: expandVariables(body.from.uri, body.from.span, environment), options: rest }
    if (named === undefined || typeof named.value !== 'string') {
      return fault('connector_option_missing', `stream "${body.name.text}" has no source`, body.name.span, {
        hint: "write FROM 'uri', or WITH (uri = '…')",
      })
    }
    const text = expandVariables(named.value, named.valueSpan, environment)
    return { uri: named.name.toLowerCase() === 'connector' ? `${text}:` : text, options: rest }
  }

  async #createView(body: CreateView): Promise<readonly BoundOutput[]> {
    if (body.materialized) unsupported('CREATE MATERIALIZED VIEW', body.span, 'use CREATE VIEW')
    if (this.#exists(body)) return []
    const { spans } = body.query.trailing
    if (spans.into !== undefined)
      fault('sql_unexpected_token', 'a view has no INTO', spans.into, { hint: 'use INSERT INTO' })
    const { relation } = await bindNestedQuery(body.query, this.#context)
    const name = body.name.text
    this.#created.push(name)
    const columns = renamed(relation.columns, body.columns)
    const shown = { ...withColumns(relation, columns), label: `view "${name}"` }
    this.#context.objects.set(name, { kind: 'view', name, relation: shown, derived: true })
    return []
  }

  async #createSink(body: CreateSink): Promise<readonly BoundOutput[]> {
    if (this.#exists(body)) return []
    const { objects } = this.#context
    const name = body.name.text
    this.#created.push(name)
    const options = entries(body.options, this.#environment)
    if (body.from === undefined && body.query === undefined) {
      const sink = await openSink(body.targets[0]!, options, this.#context, () => true)
      objects.set(name, { kind: 'sink', name, sink: { ...sink, name } })
      return []
    }
    const query = body.query ?? selectAll(body)
    const output = await this.#query(query, { targets: body.targets, options })
    const [sink] = output.targets
    objects.set(name, { kind: 'sink', name, sink: sink === 'client' ? undefined : sink })
    return [output]
  }

  async #insert(body: Insert): Promise<BoundOutput> {
    return this.#query(body.query, { targets: [body.target], columns: body.columns })
  }

  /** True for IF NOT EXISTS on an object that is there. */
  #exists(body: CreateStream | CreateView | CreateSink): boolean {
    const before = findObject(body.name, this.#context.objects)
    if (before === undefined || body.orReplace) return false
    if (body.ifNotExists) return true
    return fault('sql_object_exists', `${before.kind} "${before.name}" exists`, body.name.span, {
      hint: 'use CREATE OR REPLACE, IF NOT EXISTS, or another name',
    })
  }
}

type Named = Extract<
  StatementBody,
  { kind: 'create-stream' | 'create-view' | 'create-sink' | 'create-table' | 'create-lookup' }
>

const makesRelation = (body: StatementBody): body is Named =>
  ['create-stream', 'create-view', 'create-sink', 'create-table', 'create-lookup'].includes(body.kind)

/** What a statement adds to its query. */
interface Around {
  /** Of INSERT or CREATE SINK; INTO otherwise. */
  readonly targets?: readonly Target[] | undefined
  /** Name of the derived stream that it makes. */
  readonly stream?: string | undefined
  readonly options?: readonly OptionEntry[] | undefined
  /** INSERT INTO k (a, b): names for the columns of the query. */
  readonly columns?: readonly Name[] | undefined
}
