import { mulHigh } from "./number";
import { PAIRS, POW10_U64, POW128, POW128_MIN } from "./tables";

// @ts-ignore: decorator
@inline function digitCount(v: u64): u32 {
  const bits = 64 - <u32>clz(v | 1);
  const n = (bits * 1233) >> 12;
  return n + 1 - <u32>(n == 20 ? 0 : v < load<u64>(POW10_U64 + (<usize>n << 3)));
}

/** Writes an unsigned integer in decimal at o; returns the end. */
export function putUint(o: usize, v: u64): usize {
  const n = v ? digitCount(v) : 1;
  const end = o + n;
  let p = end;
  while (v > 0xffffffff) {
    const q = v / 100;
    p -= 2;
    store<u16>(p, load<u16>(PAIRS + (<usize>(v - q * 100) << 1)));
    v = q;
  }
  let w = <u32>v;
  while (w >= 100) {
    const q = w / 100;
    p -= 2;
    store<u16>(p, load<u16>(PAIRS + (<usize>(w - q * 100) << 1)));
    w = q;
  }
  if (w >= 10) store<u16>(o, load<u16>(PAIRS + (<usize>w << 1)));
  else store<u8>(o, <u8>(48 + w));
  return end;
}

export function putInt(o: usize, v: i64): usize {
  if (v >= 0) return putUint(o, <u64>v);
  store<u8>(o, 45);
  return putUint(o + 1, 0 - <u64>v);
}

// @ts-ignore: decorator
@inline function two(o: usize, v: u32): void {
  store<u16>(o, load<u16>(PAIRS + (<usize>v << 1)));
}

// @ts-ignore: decorator
@inline function roundToOdd(high: u64, low: u64, c: u64): u64 {
  const x1 = mulHigh(low, c);
  let y0 = high * c, y1 = mulHigh(high, c);
  y0 += x1;
  y1 += <u64>(y0 < x1);
  return y1 | <u64>(y0 > 1);
}

/** The shortest decimal that reads back as v > 0 (Giulietti's Schubfach), laid out as JavaScript does. */
function putShortest(o: usize, v: f64): usize {
  const bits = reinterpret<u64>(v);
  const fraction = bits & 0xfffffffffffff, exponent = <i32>(bits >> 52) & 0x7ff;
  let c: u64, q: i32;
  if (exponent != 0) {
    c = 0x10000000000000 | fraction;
    q = exponent - 1075;
  } else {
    c = fraction;
    q = -1074;
  }
  const odd = c & 1;
  const closer = <u64>(fraction == 0 && exponent > 1);
  const k = (q * 1262611 - (closer ? 524031 : 0)) >> 22;
  const h = <u64>(q + ((-k * 1741647) >> 19) + 1);
  const g = POW128 + (<usize>(-k - POW128_MIN) << 4);
  let high = load<u64>(g), low = load<u64>(g, 8);
  if (-k < -27 || -k > 55) { // the table rounds down there, this algorithm wants it rounded up
    low++;
    high += <u64>(low == 0);
  }
  const left = roundToOdd(high, low, (4 * c - 2 + closer) << h) + odd;
  const middle = roundToOdd(high, low, (4 * c) << h);
  const right = roundToOdd(high, low, (4 * c + 2) << h) - odd;
  const s = middle >> 2;
  let d: u64 = 0, e: i32 = k, done = false;
  if (s >= 10) {
    const t = s / 10;
    const up = left <= 40 * t, down = 40 * t + 40 <= right;
    if (up != down) {
      d = t + <u64>down;
      e = k + 1;
      done = true;
    }
  }
  if (!done) {
    const up = left <= 4 * s, down = 4 * s + 4 <= right;
    if (up != down) d = s + <u64>down;
    else {
      const mid = 4 * s + 2;
      d = s + <u64>(middle > mid || (middle == mid && (s & 1) != 0));
    }
  }
  while (d % 10 == 0) {
    d /= 10;
    e++;
  }
  return putDecimal(o, d, e);
}

/** d × 10^e, d without trailing zeros, in the layout of Number.prototype.toString. */
function putDecimal(o: usize, d: u64, e: i32): usize {
  const digits = <i32>digitCount(d);
  const n = digits + e;
  if (e >= 0 && n <= 21) {
    o = putUint(o, d);
    for (let i = 0; i < e; i++) store<u8>(o++, 48);
    return o;
  }
  if (n > 0 && n <= 21) {
    putUint(o + 1, d);
    for (let i = 0; i < n; i++) store<u8>(o + i, load<u8>(o + i + 1));
    store<u8>(o + n, 46);
    return o + digits + 1;
  }
  if (n > -6 && n <= 0) {
    store<u16>(o, 0x2e30);
    o += 2;
    for (let i = n; i < 0; i++) store<u8>(o++, 48);
    return putUint(o, d);
  }
  const x = n - 1;
  if (digits == 1) o = putUint(o, d);
  else {
    putUint(o + 1, d);
    store<u8>(o, load<u8>(o, 1));
    store<u8>(o, 46, 1);
    o += digits + 1;
  }
  store<u8>(o++, 101);
  store<u8>(o++, x < 0 ? 45 : 43);
  return putUint(o, <u64>(x < 0 ? -x : x));
}

/** A finite double as JSON.stringify writes it (-0 as 0). At most 25 bytes. */
export function putDouble(o: usize, x: f64): usize {
  if (x < 0) {
    store<u8>(o++, 45);
    x = -x;
  }
  if (x < 9007199254740992) {
    if (trunc(x) == x) return putUint(o, <u64><i64>x);
    // Money and rates: at most 4 decimals and 15 digits are their own shortest form.
    if (x < 1e9) {
      let r = nearest(x * 100);
      let places: u32 = 2;
      if (r / 100 != x) {
        r = nearest(x * 10000);
        places = r / 10000 == x ? 4 : 0;
      }
      if (places) return putPlaces(o, <u64><i64>r, places);
    }
  }
  return putShortest(o, x);
}

function putPlaces(o: usize, r: u64, places: u32): usize {
  const unit: u64 = places == 2 ? 100 : 10000;
  const whole = r / unit, part = <u32>(r - whole * unit);
  o = putUint(o, whole);
  store<u8>(o++, 46);
  if (places == 4) {
    const high = part / 100, low = part - high * 100;
    two(o, high);
    o += 2;
    if (low) {
      two(o, low);
      o += 2;
    }
  } else {
    two(o, part);
    o += 2;
  }
  while (load<u8>(o - 1) == 48) o--;
  return o;
}

/** A scaled integer with its fraction's trailing zeros left out. */
export function putScaled(o: usize, v: i64, scale: u32): usize {
  if (v < 0) {
    store<u8>(o++, 45);
    v = -v;
  }
  let u = <u64>v;
  while (scale > 19) {
    if (u % 10) break;
    u /= 10;
    scale--;
  }
  if (scale > 19) { // less than 10^-19 with digits to the end
    store<u16>(o, 0x2e30);
    o += 2;
    const n = u ? digitCount(u) : 1;
    for (let i = n; i < scale; i++) store<u8>(o++, 48);
    o = putUint(o, u);
    while (load<u8>(o - 1) == 48) o--;
    return o;
  }
  const unit = load<u64>(POW10_U64 + (<usize>scale << 3));
  const whole = u / unit;
  let part = u - whole * unit;
  o = putUint(o, whole);
  if (!part) return o;
  store<u8>(o++, 46);
  for (let p = o + scale; p > o; ) {
    const q = part / 10;
    store<u8>(--p, <u8>(48 + (part - q * 10)));
    part = q;
  }
  o += scale;
  while (load<u8>(o - 1) == 48) o--;
  return o;
}

/** `YYYY-MM-DD` (Hinnant's civil_from_days); years beyond 0 … 9999 with a sign and six digits. */
export function putDate(o: usize, days: i32): usize {
  const z = days + 719468;
  const era = (z >= 0 ? z : z - 146096) / 146097;
  const dayOfEra = z - era * 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const m = (5 * dayOfYear + 2) / 153;
  const day = dayOfYear - (153 * m + 2) / 5 + 1;
  const month = m < 10 ? m + 3 : m - 9;
  const year = yearOfEra + era * 400 + <i32>(month <= 2);
  if (year < 0 || year > 9999) {
    const a = <u32>(year < 0 ? -year : year);
    store<u8>(o, year < 0 ? 45 : 43);
    two(o + 1, a / 10000);
    two(o + 3, (a / 100) % 100);
    two(o + 5, a % 100);
    o += 7;
  } else {
    two(o, <u32>year / 100);
    two(o + 2, <u32>year % 100);
    o += 4;
  }
  store<u8>(o, 45);
  two(o + 1, <u32>month);
  store<u8>(o, 45, 3);
  two(o + 4, <u32>day);
  return o + 6;
}

// The last second written and its text without fraction and Z: neighbouring rows mostly share it.
let memoSecond: i64 = i64.MIN_VALUE;
let memoLength: u32 = 0;
let memoText0: u64 = 0;
let memoText1: u64 = 0;
let memoText2: u64 = 0;

/** `2026-01-31T10:00:00Z` with 0, 3 or 6 fraction digits. At most 32 bytes. */
export function putTimestamp(o: usize, micros: i64): usize {
  let second = micros / 1000000;
  let part = <u32>(micros - second * 1000000);
  if (micros < 0 && second * 1000000 != micros) {
    second--;
    part = <u32>(micros - second * 1000000);
  }
  if (second == memoSecond) {
    store<u64>(o, memoText0);
    store<u64>(o, memoText1, 8);
    store<u64>(o, memoText2, 16);
    o += memoLength;
  } else {
    const from = o;
    let day = second / 86400;
    let rest = <i32>(second - day * 86400);
    if (rest < 0) {
      day--;
      rest += 86400;
    }
    o = putDate(o, <i32>day);
    store<u8>(o, 0x54);
    two(o + 1, <u32>rest / 3600);
    store<u8>(o, 58, 3);
    two(o + 4, (<u32>rest / 60) % 60);
    store<u8>(o, 58, 6);
    two(o + 7, <u32>rest % 60);
    o += 9;
    memoSecond = second;
    memoLength = <u32>(o - from);
    memoText0 = load<u64>(from);
    memoText1 = load<u64>(from, 8);
    memoText2 = load<u64>(from, 16);
  }
  if (part) {
    store<u8>(o, 46);
    const thousands = part / 1000, units = part - thousands * 1000;
    store<u8>(o, <u8>(48 + thousands / 100), 1);
    two(o + 2, thousands % 100);
    o += 4;
    if (units) {
      store<u8>(o, <u8>(48 + units / 100));
      two(o + 1, units % 100);
      o += 3;
    }
  }
  store<u8>(o, 0x5a);
  return o + 1;
}
