import { POW10_F64, POW10_U64, POW128, POW128_MIN } from "./tables";

/** 8 ASCII digits, the first in the lowest byte (SWAR). */
// @ts-ignore: decorator
@inline export function digits8(v: u64): u64 {
  v = ((v & 0x0f0f0f0f0f0f0f0f) * 2561) >> 8;
  v = ((v & 0x00ff00ff00ff00ff) * 6553601) >> 16;
  return ((v & 0x0000ffff0000ffff) * 42949672960001) >> 32;
}

/** 1 … 16 digits at p. */
// @ts-ignore: decorator
@inline export function digitsN(p: usize, n: u32): u64 {
  if (n <= 8) return digits8(load<u64>(p) << <u64>(64 - 8 * n));
  return digits8(load<u64>(p)) * load<u64>(POW10_U64 + (<usize>(n - 8) << 3)) + digits8(load<u64>(p, 8) << <u64>(128 - 8 * n));
}

/** Bit i: byte i at p is a digit. */
// @ts-ignore: decorator
@inline export function digitMask(p: usize, zero: v128, nine: v128): u32 {
  return i8x16.bitmask(i8x16.le_u(i8x16.sub(v128.load(p), zero), nine));
}

/** The high half of a 64 × 64 bit product. */
// @ts-ignore: decorator
@inline export function mulHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff, a1 = a >> 32, b0 = b & 0xffffffff, b1 = b >> 32;
  const p00 = a0 * b0, p01 = a0 * b1, p10 = a1 * b0, p11 = a1 * b1;
  const mid = (p00 >> 32) + (p01 & 0xffffffff) + (p10 & 0xffffffff);
  return p11 + (p01 >> 32) + (p10 >> 32) + (mid >> 32);
}

// What scanNumber found: (-1)^negative × mantissa × 10^exponent; `exact` is false when digits beyond 19 were dropped.
export let numberNegative: bool = false;
export let numberMantissa: u64 = 0;
export let numberExponent: i32 = 0;
export let numberExact: bool = true;

/** Reads a number of the JSON grammar at p; returns its end, or 0. */
export function scanNumber(p: usize): usize {
  let negative = false;
  if (load<u8>(p) == 45) {
    negative = true;
    p++;
  }
  let mantissa: u64 = 0, exponent: i32 = 0, count = 0, exact = true;
  let d: u32 = <u32>load<u8>(p) - 48;
  if (d > 9) return 0;
  if (d == 0) {
    p++;
    if (<u32>load<u8>(p) - 48 <= 9) return 0;
  } else {
    while (d <= 9) {
      if (count < 19) {
        mantissa = mantissa * 10 + <u64>d;
        count++;
      } else {
        exponent++;
        if (d) exact = false;
      }
      d = <u32>load<u8>(++p) - 48;
    }
  }
  if (load<u8>(p) == 46) {
    d = <u32>load<u8>(++p) - 48;
    if (d > 9) return 0;
    while (d <= 9) {
      if (count < 19) {
        mantissa = mantissa * 10 + <u64>d;
        if (mantissa) count++;
        exponent--;
      } else if (d) exact = false;
      d = <u32>load<u8>(++p) - 48;
    }
  }
  if ((load<u8>(p) | 32) == 101) {
    let c = load<u8>(++p);
    const down = c == 45;
    if (down || c == 43) p++;
    d = <u32>load<u8>(p) - 48;
    if (d > 9) return 0;
    let e: i32 = 0;
    while (d <= 9) {
      if (e < 100000) e = e * 10 + <i32>d;
      d = <u32>load<u8>(++p) - 48;
    }
    exponent += down ? -e : e;
  }
  numberNegative = negative;
  numberMantissa = mantissa;
  numberExponent = exponent;
  numberExact = exact;
  return p;
}

/**
 * The double nearest to w × 10^q (Eisel and Lemire; without fallback after Mushtak and Lemire), w of at most 19 digits.
 */
export function nearestDouble(w: u64, q: i32): f64 {
  if (w == 0 || q < POW128_MIN) return 0;
  if (q > 308) return Infinity;
  const zeros = <i32>clz(w);
  w <<= <u64>zeros;
  const t = POW128 + (<usize>(q - POW128_MIN) << 4);
  const g = load<u64>(t);
  let high = mulHigh(w, g), low = w * g;
  if ((high & 0x1ff) == 0x1ff) {
    const second = mulHigh(w, load<u64>(t, 8));
    low += second;
    high += <u64>(second > low);
  }
  const upper = <i32>(high >> 63);
  const shift = <u64>(upper + 9);
  let m = high >> shift;
  let power = ((217706 * q) >> 16) + 63 + upper - zeros + 1023;
  if (power <= 0) {
    if (1 - power >= 64) return 0;
    m >>= <u64>(1 - power);
    m += m & 1;
    m >>= 1;
    return reinterpret<f64>(m);
  }
  if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << shift == high) m &= ~1;
  m += m & 1;
  m >>= 1;
  if (m >= 0x20000000000000) {
    m = 0x10000000000000;
    power++;
  }
  if (power >= 0x7ff) return Infinity;
  return reinterpret<f64>((m & 0xfffffffffffff) | (<u64>power << 52));
}

// Set by integerOf and doubleOf: the number was exact in the wanted type.
export let integerFits: bool = false;

/** The last scanned number as a 64-bit integer; `integerFits` tells whether it is one. */
export function integerOf(): i64 {
  let m = numberMantissa, e = numberExponent;
  integerFits = false;
  if (!numberExact) return 0;
  if (m == 0) {
    integerFits = true;
    return 0;
  }
  if (e < 0) {
    if (e < -19) return 0;
    const p = load<u64>(POW10_U64 + (<usize>-e << 3));
    if (m % p) return 0;
    m /= p;
  } else if (e > 0) {
    if (e > 19) return 0;
    const p = load<u64>(POW10_U64 + (<usize>e << 3));
    if (m > 0xffffffffffffffff / p) return 0;
    m *= p;
  }
  if (m > 0x7fffffffffffffff + <u64>numberNegative) return 0;
  integerFits = true;
  return numberNegative ? -<i64>m : <i64>m;
}

export let doubleKnown: bool = false;

/** The last scanned number as a double; `doubleKnown` is false when only all its digits can tell. */
export function doubleOf(): f64 {
  const m = numberMantissa, e = numberExponent;
  doubleKnown = true;
  let v: f64;
  if (numberExact && m < 0x20000000000000 && e >= -22 && e <= 22) {
    v = <f64>m;
    v = e < 0 ? v / load<f64>(POW10_F64 + (<usize>-e << 3)) : v * load<f64>(POW10_F64 + (<usize>e << 3));
  } else {
    v = nearestDouble(m, e);
    if (!numberExact && v != nearestDouble(m + 1, e)) doubleKnown = false;
  }
  return numberNegative ? -v : v;
}
