import type { Statement } from '../ast-statements.ts'

/**
 * Lower-case names of all columns that windows of the script use as time. A source whose columns are discovered reads
 * such a column as TIMESTAMP (rulings 30), so this must be known before the source is bound.
 */
export function windowTimes(statements: readonly Statement[]): ReadonlySet<string> {
  const names = new Set<string>()
  for (const statement of statements) visit(statement, names)
  return names
}

type Tree = Readonly<Record<string, unknown>>

function visit(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) visit(item, names)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  const node = value as Tree
  if (node['kind'] === 'window') addColumn(node['time'], names)
  if (node['kind'] === 'call' && /^(TUMBLE|HOP|SESSION|CUMULATE)$/i.test(textOf(node['name']))) {
    addColumn((node['args'] as readonly unknown[])[0], names)
  }
  for (const [key, child] of Object.entries(node)) if (key !== 'span') visit(child, names)
}

const textOf = (name: unknown): string => String((name as { text?: unknown } | undefined)?.text ?? '')

function addColumn(expr: unknown, names: Set<string>): void {
  const node = expr as { kind?: unknown; parts?: readonly { text: string }[] } | undefined
  if (node?.kind === 'column') names.add(node.parts!.at(-1)!.text.toLowerCase())
}
