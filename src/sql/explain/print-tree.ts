/** Plain data as JSON text: bigints as decimal text, maps as arrays of pairs, bytes as hexadecimal text. */
export function treeJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => {
      if (typeof item === 'bigint') return item.toString()
      if (item instanceof Uint8Array) return Buffer.from(item).toString('hex')
      if (item instanceof Map) return [...item]
      return item
    },
    2,
  )
}

type Tree = Readonly<Record<string, unknown>>

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

const isNode = (value: unknown): value is Tree => isTree(value) && typeof value['kind'] === 'string'

/** Nothing to print: clauses that were not written. */
const isEmpty = (value: Tree): boolean => Object.keys(value).every((key) => hidden.has(key))

/** Fields that only carry places. */
const hidden: ReadonlySet<string> = new Set(['kind', 'span', 'opSpan', 'valueSpan', 'spans'])

/**
 * A tree of nodes (`kind` and fields) as indented text: one line per node with its plain fields, children below under
 * their field's name. Absent fields and empty lists are left out.
 */
export function treeText(node: Tree): string {
  const lines: string[] = []
  print(node, '', 0, lines)
  return lines.join('\n')
}

function print(node: Tree, label: string, depth: number, lines: string[]): void {
  const children: [string, Tree][] = []
  const plain: string[] = []
  for (const [key, value] of Object.entries(node)) {
    if (hidden.has(key) || value === undefined || value === false) continue
    const text = scalar(value)
    if (text !== undefined) plain.push(`${key}=${text}`)
    else if (Array.isArray(value)) value.forEach((item, i) => void children.push([`${key}[${i}]`, asTree(item)]))
    else if (isTree(value) && !isEmpty(value)) children.push([key, value])
  }
  const head = [label === '' ? '' : `${label}:`, String(node['kind'] ?? ''), ...plain].filter((part) => part !== '')
  lines.push(`${'  '.repeat(depth)}${head.join(' ')}`)
  for (const [key, child] of children) print(child, key, depth + 1, lines)
}

const asTree = (item: unknown): Tree => (isTree(item) ? item : { value: item })

/** The text of a value that needs no lines of its own; undefined for nodes and lists of nodes. */
function scalar(value: unknown): string | undefined {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex')}'`
  if (Array.isArray(value)) return value.every((item) => scalar(item) !== undefined) ? list(value) : undefined
  if (isNode(value)) return leaf(value)
  return isTree(value) && Object.values(value).every((item) => !isTree(item) && !Array.isArray(item))
    ? record(value)
    : undefined
}

function list(items: readonly unknown[]): string | undefined {
  return items.length === 0 ? '[]' : `[${items.map((item) => scalar(item)).join(', ')}]`
}

const record = (value: Tree): string =>
  `{${Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${key}: ${scalar(item)}`)
    .join(', ')}}`

/** Names, types and durations stand on their parent's line. */
function leaf(node: Tree): string | undefined {
  if (node['kind'] === 'name') return node['quoted'] === true ? JSON.stringify(node['text']) : String(node['text'])
  if (node['kind'] === 'uri') return JSON.stringify(node['uri'])
  return undefined
}
