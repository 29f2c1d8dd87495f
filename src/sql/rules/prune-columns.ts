import type { DataType, Field } from '../../core/types.ts'
import type { BoundExpr } from '../../expr/bound.ts'
import { inputsOf, type Output, type PlanNode, type PlanOf, type SourceColumn } from '../plan.ts'
import { makeNode } from '../planner/node.ts'
import { accessOf, Mapping, Needs, type Path } from './access.ts'
import { exprsOf, mapNodeExprs } from './rewrite.ts'

/**
 * Sources read only the columns that are needed, and of a STRUCT only the fields; projections on the way carry only
 * these. Columns under NOT NULL, CHECK and the event time count as needed (rulings 44).
 */
export function pruneColumns(outputs: readonly Output[]): Output[] {
  const needs = collectNeeds(outputs)
  const done = new Map<PlanNode, Pruned>()
  const visit = (node: PlanNode): Pruned => {
    let result = done.get(node)
    if (result === undefined) done.set(node, (result = prune(node, needs.get(node)!, visit)))
    return result
  }
  return outputs.map((output) => ({ ...output, root: restored(output.root, visit(output.root)) }))
}

interface Pruned {
  readonly node: PlanNode
  readonly mapping: Mapping
}

/** Parents before children. */
function inOrder(outputs: readonly Output[]): PlanNode[] {
  const order: PlanNode[] = []
  const seen = new Set<PlanNode>()
  const visit = (node: PlanNode): void => {
    if (seen.has(node)) return
    seen.add(node)
    inputsOf(node).forEach(visit)
    order.push(node)
  }
  for (const output of outputs) visit(output.root)
  return order.reverse()
}

function collectNeeds(outputs: readonly Output[]): ReadonlyMap<PlanNode, Needs> {
  const order = inOrder(outputs)
  const all = new Map(order.map((node) => [node, new Needs()]))
  for (const { root } of outputs) all.get(root)!.addAll(root.schema.fields.length)
  for (const node of order) {
    for (const input of inputsOf(node)) passDown(node, all.get(node)!, input, all.get(input)!)
  }
  return all
}

/** Adds to the needs of one input what a node needs of it. */
function passDown(node: PlanNode, own: Needs, input: PlanNode, below: Needs): void {
  const width = input.schema.fields.length
  const through = () => {
    for (const [column, paths] of own.entries()) {
      if (column < width) for (const path of paths) below.add(column, path)
    }
  }
  switch (node.kind) {
    case 'source':
    case 'values':
      return
    case 'project':
      for (const [column, paths] of own.entries()) addOutput(node.outputs[column]!, paths, below)
      return
    case 'distinct':
      below.addAll(width)
      return
    case 'union':
      for (const [column] of own.entries()) below.add(column, [])
      return
    case 'aggregate':
      for (const expr of exprsOf(node)) below.addExpr(expr)
      if (node.late !== undefined) below.addAll(width)
      return
    case 'watermark':
      below.add(node.column, [])
  }
  through()
  for (const expr of exprsOf(node)) below.addExpr(expr)
}

function addOutput(output: BoundExpr, paths: readonly Path[], below: Needs): void {
  const access = accessOf(output)
  if (access === undefined) below.addExpr(output)
  else for (const path of paths) below.add(access.column, [...access.path, ...path])
}

type Visit = (node: PlanNode) => Pruned

function prune(node: PlanNode, needs: Needs, visit: Visit): Pruned {
  switch (node.kind) {
    case 'source':
      return pruneSource(node, needs)
    case 'project':
      return pruneProject(node, needs, visit(node.input))
    case 'values':
      return { node, mapping: identity(node) }
    case 'union':
      return pruneUnion(node, needs, visit)
    case 'aggregate':
    case 'distinct': {
      const { node: input, mapping } = visit(node.input)
      const over =
        node.kind === 'distinct' || node.late !== undefined ? restored(node.input, { node: input, mapping }) : input
      const mapped = over === input ? mapNodeExprs(node, (expr) => mapping.apply(expr)) : node
      return { node: makeNode({ ...mapped, input: over } as typeof node), mapping: identity(node) }
    }
    case 'unnest':
      return pruneUnnest(node, visit(node.input))
    default:
      return pruneThrough(node, visit(node.input))
  }
}

function identity(node: PlanNode): Mapping {
  const mapping = new Mapping()
  for (const [i, field] of node.schema.fields.entries()) mapping.set(i, [], i, field.name)
  return mapping
}

/** The node with exactly the columns it had. */
function restored(before: PlanNode, { node, mapping }: Pruned): PlanNode {
  const fields = before.schema.fields
  const same = node.schema.fields.length === fields.length && fields.every((_, i) => mapping.place(i) === i)
  if (same) return node
  const outputs = fields.map((field, index) => mapping.apply({ kind: 'column', index, ...field }))
  return makeNode({ kind: 'project', input: node, outputs, schema: before.schema })
}

function pruneSource(node: PlanOf<'source'>, needs: Needs): Pruned {
  if (!node.info.projects) return { node, mapping: identity(node) }
  const mapping = new Mapping()
  const columns: SourceColumn[] = []
  const systemColumns: PlanOf<'source'>['systemColumns'][number][] = []
  const fields: Field[] = []
  const wanted = new Map(needs.entries())
  for (const [at, field] of node.schema.fields.entries()) {
    const column = node.columns[at]
    const whole = column?.required === true ? [[]] : wanted.get(at)
    for (const path of whole ?? []) {
      const leaf = fieldAt(field, path)
      mapping.set(at, path, fields.length, leaf.name)
      fields.push(leaf)
      if (column === undefined) systemColumns.push(node.systemColumns[at - node.columns.length]!)
      else columns.push({ ...column, name: leaf.name, path: [...column.path, ...namesAt(field.type, path)] })
    }
  }
  return { node: makeNode({ ...node, columns, systemColumns, schema: { fields } }), mapping }
}

/** The field at a path, under its dotted name; NULL as soon as one STRUCT on the way is. */
function fieldAt(field: Field, path: Path): Field {
  let found = field
  for (const at of path) {
    const type: DataType = found.type
    if (type.kind !== 'struct') return found
    const inner = type.fields[at]!
    found = { name: `${found.name}.${inner.name}`, type: inner.type, nullable: found.nullable || inner.nullable }
  }
  return found
}

function namesAt(type: DataType, path: Path): string[] {
  const [first, ...rest] = path
  if (first === undefined || type.kind !== 'struct') return []
  const field = type.fields[first]!
  return [field.name, ...namesAt(field.type, rest)]
}

function pruneProject(node: PlanOf<'project'>, needs: Needs, below: Pruned): Pruned {
  const mapping = new Mapping()
  const outputs: BoundExpr[] = []
  const fields: Field[] = []
  for (const [at, paths] of needs.entries()) {
    const output = node.outputs[at]!
    const field = node.schema.fields[at]!
    for (const path of accessOf(output) === undefined ? [[]] : paths) {
      const leaf = fieldAt(field, path)
      mapping.set(at, path, outputs.length, leaf.name)
      outputs.push(below.mapping.apply(fieldChain(output, path)))
      fields.push(leaf)
    }
  }
  return { node: makeNode({ ...node, input: below.node, outputs, schema: { fields } }), mapping }
}

function fieldChain(expr: BoundExpr, path: Path): BoundExpr {
  let result = expr
  for (const index of path) {
    const type: DataType = result.type
    if (type.kind !== 'struct') return result
    const field = type.fields[index]!
    result = { kind: 'field', arg: result, index, type: field.type, nullable: result.nullable || field.nullable }
  }
  return result
}

/** Every branch gives the needed columns, in order. */
function pruneUnion(node: PlanOf<'union'>, needs: Needs, visit: Visit): Pruned {
  const wanted = needs.entries().map(([column]) => column)
  const mapping = new Mapping()
  const fields = wanted.map((column) => node.schema.fields[column]!)
  for (const [i, column] of wanted.entries()) mapping.set(column, [], i, fields[i]!.name)
  const inputs = node.inputs.map((input) => {
    const below = visit(input)
    const exact =
      below.node.schema.fields.length === wanted.length &&
      wanted.every((column, i) => below.mapping.place(column) === i)
    if (exact) return below.node
    const outputs = wanted.map((index) =>
      below.mapping.apply({ kind: 'column', index, ...input.schema.fields[index]! }),
    )
    const own = wanted.map((index) => input.schema.fields[index]!)
    return makeNode({ kind: 'project', input: below.node, outputs, schema: { fields: own } })
  })
  return { node: makeNode({ ...node, inputs, schema: { fields } }), mapping }
}

function pruneUnnest(node: PlanOf<'unnest'>, below: Pruned): Pruned {
  const width = node.input.schema.fields.length
  const mapping = new Mapping()
  for (const { column, path, index, name } of below.mapping.entries()) mapping.set(column, path, index, name)
  const kept = below.node.schema.fields
  const own = node.schema.fields.slice(width)
  for (const [i, field] of own.entries()) mapping.set(width + i, [], kept.length + i, field.name)
  const list = below.mapping.apply(node.list)
  return { node: makeNode({ ...node, input: below.node, list, schema: { fields: [...kept, ...own] } }), mapping }
}

/** Nodes that pass their input's columns on. */
function pruneThrough(node: PlanOf<'watermark' | 'filter' | 'check' | 'sort' | 'limit'>, below: Pruned): Pruned {
  const mapped = mapNodeExprs({ ...node, input: below.node } as typeof node, (expr) => below.mapping.apply(expr))
  const rest = { input: below.node, schema: below.node.schema }
  if (mapped.kind !== 'watermark')
    return { node: makeNode({ ...mapped, ...rest } as typeof node), mapping: below.mapping }
  const column = below.mapping.place(mapped.column)!
  return { node: makeNode({ ...mapped, ...rest, column }), mapping: below.mapping }
}
