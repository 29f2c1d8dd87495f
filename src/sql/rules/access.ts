import { type BoundExpr, childrenOf } from '../../expr/bound.ts'
import { mapChildren } from '../binder/grouping.ts'

/** Field positions inside a column; empty: the whole column. */
export type Path = readonly number[]

export interface Access {
  readonly column: number
  readonly path: Path
}

/** The column and path that an expression reads and nothing else; undefined for computed ones. */
export function accessOf(expr: BoundExpr): Access | undefined {
  if (expr.kind === 'column') return { column: expr.index, path: [] }
  if (expr.kind !== 'field') return undefined
  const inner = accessOf(expr.arg)
  return inner === undefined ? undefined : { column: inner.column, path: [...inner.path, expr.index] }
}

const isPrefix = (short: Path, long: Path): boolean =>
  short.length <= long.length && short.every((at, i) => at === long[i])

/** Which columns of a node are read, and which fields of them. */
export class Needs {
  readonly #paths = new Map<number, Path[]>()

  /** A path within one that is needed already adds nothing; one that covers others takes their place. */
  add(column: number, path: Path): void {
    const paths = this.#paths.get(column) ?? []
    if (paths.some((before) => isPrefix(before, path))) return
    this.#paths.set(column, [...paths.filter((before) => !isPrefix(path, before)), path])
  }

  addExpr(expr: BoundExpr): void {
    const access = accessOf(expr)
    if (access !== undefined) this.add(access.column, access.path)
    else for (const child of childrenOf(expr)) this.addExpr(child)
  }

  addAll(width: number): void {
    for (let column = 0; column < width; column++) this.add(column, [])
  }

  /** Needed columns in order, each with its paths in field order. */
  entries(): readonly (readonly [number, readonly Path[]])[] {
    return [...this.#paths]
      .sort(([a], [b]) => a - b)
      .map(([column, paths]) => [column, paths.toSorted(comparePaths)] as const)
  }
}

function comparePaths(a: Path, b: Path): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** Where the columns (and fields of columns) of a node are after pruning. */
export class Mapping {
  readonly #places = new Map<number, { readonly path: Path; readonly index: number; readonly name: string }[]>()

  set(column: number, path: Path, index: number, name: string): void {
    this.#places.set(column, [...(this.#places.get(column) ?? []), { path, index, name }])
  }

  /** The new index of a whole column; undefined when it was pruned or taken apart. */
  place(column: number): number | undefined {
    return this.#places.get(column)?.find((place) => place.path.length === 0)?.index
  }

  entries(): readonly {
    readonly column: number
    readonly path: Path
    readonly index: number
    readonly name: string
  }[] {
    return [...this.#places].flatMap(([column, places]) => places.map((place) => ({ column, ...place })))
  }

  /** The expression over the pruned columns. */
  apply(expr: BoundExpr): BoundExpr {
    const access = accessOf(expr)
    if (access === undefined) return mapChildren(expr, (child) => this.apply(child))
    const place = this.#places.get(access.column)?.find((candidate) => isPrefix(candidate.path, access.path))
    // A field of a column that is kept whole.
    if (place === undefined || place.path.length < access.path.length) {
      if (expr.kind === 'field') return { ...expr, arg: this.apply(expr.arg) }
      return place === undefined
        ? expr
        : ({ ...expr, kind: 'column', index: place.index, name: place.name } as BoundExpr)
    }
    const { type, nullable, span } = expr
    return { kind: 'column', index: place.index, name: place.name, type, nullable, span }
  }
}

/** Positions of all columns that an expression reads. */
export function columnsRead(expr: BoundExpr, into = new Set<number>()): ReadonlySet<number> {
  if (expr.kind === 'column') into.add(expr.index)
  for (const child of childrenOf(expr)) columnsRead(child, into)
  return into
}
