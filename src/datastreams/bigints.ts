export const larger = (a: bigint, b: bigint): bigint => (a < b ? b : a)

// Math.min takes no bigint.
export const smaller = (a: bigint, b: bigint): bigint => (b < a ? b : a)
