/**
 * Optimal string alignment distance: insertions, deletions, substitutions and transpositions count 1 each
 * (connectors.md §3).
 */
export function editDistance(a: string, b: string): number {
  const width = b.length + 1
  let before: number[] = []
  let last = Array.from({ length: width }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j < width; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/** At most three names within edit distance max(1, length / 3), nearest first; upper and lower case are equal. */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  const wanted = name.toLowerCase()
  const limit = Math.max(1, Math.floor(name.length / 3))
  const found: { name: string; distance: number }[] = []
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) > limit) continue
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance <= limit) found.push({ name: candidate, distance })
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
  return [...new Set(found.map((entry) => entry.name))].slice(0, 3)
}

/** `did you mean "a"?` or `did you mean "a" or "b"?`; undefined when nothing is near. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const names = nearestNames(name, known)
  if (names.length === 0) return undefined
  return `did you mean ${names.map((near) => `"${near}"`).join(' or ')}?`
}
