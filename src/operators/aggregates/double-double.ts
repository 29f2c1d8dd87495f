/** A sum of two float64 with |low| ≤ half an ulp of high: about 106 bits (Knuth, Dekker). */
export interface DoubleDouble {
  readonly high: number
  readonly low: number
}

const SPLIT = 134_217_729

function twoSum(a: number, b: number): DoubleDouble {
  const high = a + b
  const part = high - a
  return { high, low: a - (high - part) + (b - part) }
}

function twoProduct(a: number, b: number): DoubleDouble {
  const high = a * b
  if (!Number.isFinite(high)) return { high, low: 0 }
  const ta = SPLIT * a
  const ah = ta - (ta - a)
  const al = a - ah
  const tb = SPLIT * b
  const bh = tb - (tb - b)
  const bl = b - bh
  return { high, low: ah * bh - high + ah * bl + al * bh + al * bl }
}

export const ddAdd = (a: DoubleDouble, b: DoubleDouble): DoubleDouble => {
  const sum = twoSum(a.high, b.high)
  return twoSum(sum.high, sum.low + a.low + b.low)
}

export const ddNegate = ({ high, low }: DoubleDouble): DoubleDouble => ({ high: -high, low: -low })

export const ddSubtract = (a: DoubleDouble, b: DoubleDouble): DoubleDouble => ddAdd(a, ddNegate(b))

export function ddMultiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const product = twoProduct(a.high, b.high)
  return twoSum(product.high, product.low + a.high * b.low + a.low * b.high)
}

export function ddDivide(a: DoubleDouble, by: number): DoubleDouble {
  const quotient = a.high / by
  const rest = ddSubtract(a, twoProduct(quotient, by))
  return twoSum(quotient, rest.high / by)
}

export const ddOf = (high: number): DoubleDouble => ({ high, low: 0 })

export const ddValue = ({ high, low }: DoubleDouble): number => high + low

export const ddProduct = twoProduct
