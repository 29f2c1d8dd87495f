/** The first `most` rows of runs `[from, to)`, and what is left. */
export function takeRows(
  runs: readonly number[],
  most: number,
): { readonly taken: readonly number[]; readonly rows: number; readonly rest: readonly number[] } {
  let rows = 0
  for (let i = 0; i < runs.length; i += 2) {
    const [from, to] = [runs[i]!, runs[i + 1]!]
    if (rows + to - from <= most) {
      rows += to - from
      continue
    }
    const cut = from + most - rows
    const taken = cut > from ? [...runs.slice(0, i), from, cut] : runs.slice(0, i)
    return { taken, rows: most, rest: [cut, ...runs.slice(i + 1)] }
  }
  return { taken: runs, rows, rest: [] }
}

/** The bytes of runs of rows, `rowEnds` being the end of each row in `bytes`; a view where they lie together. */
export function gather(bytes: Uint8Array, rowEnds: Uint32Array, runs: readonly number[]): Uint8Array {
  const pieces: Uint8Array[] = []
  for (let i = 0; i < runs.length; i += 2) {
    const from = runs[i]!
    pieces.push(bytes.subarray(from === 0 ? 0 : rowEnds[from - 1]!, rowEnds[runs[i + 1]! - 1]!))
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
}
