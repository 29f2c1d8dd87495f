/** Compares names so that runs of digits count as numbers: `2` comes before `10`; ties by code unit. */
export function naturalOrder(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? []
  const right = b.match(/\d+|\D+/g) ?? []
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const l = left[i]!
    const r = right[i]!
    if (l === r) continue
    if (isDigits(l) && isDigits(r)) {
      const x = l.replace(/^0+(?=\d)/, '')
      const y = r.replace(/^0+(?=\d)/, '')
      if (x.length !== y.length) return x.length - y.length
      if (x !== y) return x < y ? -1 : 1
      return l.length - r.length
    }
    return l < r ? -1 : 1
  }
  return left.length - right.length
}

const isDigits = (text: string): boolean => text.charCodeAt(0) >= 48 && text.charCodeAt(0) <= 57
