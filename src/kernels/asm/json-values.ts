// What a scanner does with the value at p: parses it as its column's type and stores it, or says (0) that it cannot.
import { doubleKnown, doubleOf, integerFits, integerOf, numberExact, numberExponent, numberMantissa, numberNegative, scanNumber } from "./number";
import { POW10_U64, UNBASE64, VECTORS } from "./tables";
import { endOfNested, endOfString, unescape, unescapedEnd } from "./text";
import { isoDays, isoMicros, microsOf, parseDate, parseIso, unitFits } from "./time";
import { valueEnd } from "./validate";

// Converts [start, end), a whole JSON value, and stores it; 0: it does not fit.
// @ts-ignore: decorator
@external("env", "hostValue") declare function hostValue(column: u32, row: u32, start: usize, end: usize): i32;

// Step kinds.
export const END: i32 = 0; // nothing more is wanted
export const LAST: i32 = 1; // the literal ends the record
export const LITERAL: i32 = 2; // the literal goes on in the next step
export const PRESENT: i32 = 3; // a struct begins: it is not NULL
export const NULL: i32 = 4; // `null`, for an object that columns lie in
export const SKIP: i32 = 5; // any value
export const SKIP_OTHER: i32 = 6; // any value but an object
export const F64: i32 = 7;
export const I64: i32 = 8;
export const TIME: i32 = 9;
export const STRING: i32 = 10;
export const BOOL: i32 = 11;
export const I32: i32 = 12;
export const DATE: i32 = 13;
export const DECIMAL: i32 = 14;
export const JSON: i32 = 15;
export const BYTES: i32 = 16;
export const HOST: i32 = 17;

const REQUIRED: u32 = 1;
const MIXED: u32 = 2; // a STRING that takes any value, as its text

// Step: +0 kind +4 literal length +8 data +12 validity +16 wide lane +20 flags +24 column +28 parameter
// +32 literal[32] +64 mask[32]
export const STEP: usize = 96;
const WIDE_FLAG: usize = 64; // before the wide lane: a word that is 1 when a row is in it

const SAFE: u64 = 9007199254740991;

/** Where the next unescaped text goes. */
export let side: usize = 0;
/** Values that the host converted. */
export let hostCalls: u32 = 0;

// @ts-ignore: decorator
@inline export function setSide(address: usize): void {
  side = address;
}

// @ts-ignore: decorator
@inline export function resetHostCalls(): void {
  hostCalls = 0;
}

// @ts-ignore: decorator
@inline export function endsValue(c: u32): bool {
  return c == 0x2c || c == 0x7d || c == 0x5d || c <= 32;
}

// @ts-ignore: decorator
@inline export function data8(s: usize, row: u32): usize {
  return load<usize>(s, 8) + (<usize>row << 3);
}

// @ts-ignore: decorator
@inline export function valid(s: usize, row: u32, v: u8): void {
  store<u8>(load<usize>(s, 12) + row, v);
}

export function storeNull(s: usize, row: u32, p: usize): usize {
  if (load<u32>(p) != 0x6c6c756e || !endsValue(load<u8>(p, 4)) || !clearValue(s, row)) return 0;
  return p + 4;
}

/** Makes the value NULL; false when the column is required. */
export function clearValue(s: usize, row: u32): bool {
  if (load<u32>(s, 20) & REQUIRED) return false;
  valid(s, row, 0);
  const kind = load<i32>(s);
  const data = load<usize>(s, 8);
  // values at NULL rows are readable: numbers are finite, spans are empty
  if (kind == I32 || kind == DATE) store<i32>(data + (<usize>row << 2), 0);
  else if (kind == BOOL) store<u8>(data + row, 0);
  else if (data) store<u64>(data + (<usize>row << 3), 0);
  return true;
}

/** Stores a 64-bit integer: in the safe lane, or NaN there and itself in the wide one. */
export function storeWide(s: usize, row: u32, v: i64): void {
  const a = <u64>(v < 0 ? -v : v);
  if (a <= SAFE) store<f64>(data8(s, row), <f64>v);
  else {
    const wide = load<usize>(s, 16);
    store<f64>(data8(s, row), NaN);
    store<i64>(wide + (<usize>row << 3), v);
    store<u32>(wide - WIDE_FLAG, 1);
  }
  valid(s, row, 1);
}

export function host(s: usize, row: u32, start: usize, end: usize): usize {
  hostCalls++;
  return hostValue(load<u32>(s, 24), row, start, end) ? end : 0;
}

/** Any form of number at p (also null, also quoted) for step s; behind the value, or 0 when only the host can tell. */
export function slowNumber(s: usize, row: u32, p: usize): usize {
  const start = p;
  const quoted = load<u8>(p) == 0x22;
  if (load<u8>(p) == 0x6e) return storeNull(s, row, p);
  p = scanNumber(quoted ? p + 1 : p);
  if (!p) return 0;
  if (quoted) {
    if (load<u8>(p) != 0x22) return 0;
    p++;
  } else if (!endsValue(load<u8>(p))) return 0;
  return storeNumber(s, row, start, p);
}

/** Stores the number that scanNumber has just read; [start, p) is what the host gets when only it can tell. */
export function storeNumber(s: usize, row: u32, start: usize, p: usize): usize {
  const kind = load<i32>(s);
  if (kind == F64) {
    const v = doubleOf();
    if (!doubleKnown) return host(s, row, start, p);
    store<f64>(data8(s, row), v);
    valid(s, row, 1);
    return p;
  }
  if (kind == DECIMAL) return storeDecimal(s, row, start, p);
  let v = integerOf();
  if (!integerFits) return numberExact ? 0 : host(s, row, start, p);
  if (kind == I32) {
    const bound = load<i32>(s, 28);
    if (v > <i64>bound || v < -<i64>bound - 1) return 0;
    store<i32>(load<usize>(s, 8) + (<usize>row << 2), <i32>v);
    valid(s, row, 1);
    return p;
  }
  if (kind == TIME) {
    v = microsOf(v, load<i32>(s, 28));
    if (!unitFits) return 0;
  }
  storeWide(s, row, v);
  return p;
}

// parameter: scale | (digits << 8), digits = min(precision, 16)
function storeDecimal(s: usize, row: u32, start: usize, end: usize): usize {
  const parameter = load<u32>(s, 28);
  let m = numberMantissa, e = numberExponent + <i32>(parameter & 255);
  if (m == 0 && numberExact) e = 0;
  if (!numberExact || e > 19 || e < -19) return host(s, row, start, end);
  const p = load<u64>(POW10_U64 + (<usize>(e < 0 ? -e : e) << 3));
  if (e < 0) {
    if (m % p) return 0;
    m /= p;
  } else {
    if (m > SAFE / p) return host(s, row, start, end);
    m *= p;
  }
  if (m > SAFE || m >= load<u64>(POW10_U64 + (<usize>(parameter >> 8) << 3))) return host(s, row, start, end);
  store<f64>(data8(s, row), <f64><i64>(numberNegative ? -<i64>m : <i64>m));
  valid(s, row, 1);
  return end;
}

/** A string with escapes, or null. p is at its first byte. */
export function slowString(s: usize, row: u32, p: usize, end: usize): usize {
  if (load<u8>(p) != 0x22) {
    const isNull = load<u32>(p) == 0x6c6c756e && endsValue(load<u8>(p, 4));
    return isNull || !(load<u32>(s, 20) & MIXED) ? storeNull(s, row, p) : json(s, row, p, end);
  }
  const q = unescape(p + 1, end, side);
  if (!q) return 0;
  const n = unescapedEnd - side;
  if (<u32>n > load<u32>(s, 28)) return 0;
  const o = data8(s, row);
  store<u32>(o, <u32>side);
  store<u32>(o, <u32>n, 4);
  side = unescapedEnd;
  valid(s, row, 1);
  return q + 1;
}

export function time(s: usize, row: u32, p: usize): usize {
  if (load<u8>(p) != 0x22) return slowNumber(s, row, p);
  const q = parseIso(p + 1);
  if (!q) return slowNumber(s, row, p);
  if (load<u8>(q) != 0x22) return 0;
  storeWide(s, row, isoMicros);
  return q + 1;
}

function date(s: usize, row: u32, p: usize): usize {
  if (load<u8>(p) != 0x22) return storeNull(s, row, p);
  if (!parseDate(p + 1) || load<u8>(p, 11) != 0x22) return 0;
  store<i32>(load<usize>(s, 8) + (<usize>row << 2), isoDays);
  valid(s, row, 1);
  return p + 12;
}

function boolean(s: usize, row: u32, p: usize): usize {
  const o = load<usize>(s, 8) + row;
  if (load<u32>(p) == 0x65757274) {
    p += 4;
    store<u8>(o, 1);
  } else if (load<u32>(p, 1) == 0x65736c61 && load<u8>(p) == 0x66) {
    p += 5;
    store<u8>(o, 0);
  } else return storeNull(s, row, p);
  if (!endsValue(load<u8>(p))) return 0;
  valid(s, row, 1);
  return p;
}

/** Canonical base64 with padding; anything else is left to the host. */
function bytes(s: usize, row: u32, p: usize): usize {
  if (load<u8>(p) != 0x22) return storeNull(s, row, p);
  let out = side;
  p++;
  while (load<u8>(p) != 0x22) {
    const a = <u32>load<u8>(UNBASE64 + <usize>load<u8>(p)), b = <u32>load<u8>(UNBASE64 + <usize>load<u8>(p, 1));
    const third = load<u8>(p, 2), fourth = load<u8>(p, 3);
    const c = <u32>load<u8>(UNBASE64 + <usize>third), d = <u32>load<u8>(UNBASE64 + <usize>fourth);
    if ((a | b) > 63) return 0;
    if ((c | d) > 63) {
      if (fourth != 0x3d || load<u8>(p, 4) != 0x22) return 0;
      store<u8>(out++, <u8>((a << 2) | (b >> 4)));
      if (third != 0x3d) {
        if (c > 63 || c & 3) return 0;
        store<u8>(out++, <u8>((b << 4) | (c >> 2)));
      } else if (b & 15) return 0;
      p += 4;
      break;
    }
    const v = (a << 18) | (b << 12) | (c << 6) | d;
    store<u8>(out, <u8>(v >> 16));
    store<u8>(out, <u8>(v >> 8), 1);
    store<u8>(out, <u8>v, 2);
    out += 3;
    p += 4;
  }
  const o = data8(s, row);
  store<u32>(o, <u32>side);
  store<u32>(o, <u32>(out - side), 4);
  side = out;
  valid(s, row, 1);
  return p + 1;
}

function json(s: usize, row: u32, p: usize, end: usize): usize {
  if (load<u32>(p) == 0x6c6c756e) return storeNull(s, row, p);
  const q = valueEnd(p, end);
  if (!q || !endsValue(load<u8>(q)) || <u32>(q - p) > load<u32>(s, 28)) return 0;
  const o = data8(s, row);
  store<u32>(o, <u32>p);
  store<u32>(o, <u32>(q - p), 4);
  valid(s, row, 1);
  return q;
}

/** Behind any value, unchecked; 0 when it has no end. */
export function skipValue(p: usize, end: usize): usize {
  const c = load<u8>(p);
  if (c == 0x22) return endOfString(p + 1, v128.load(VECTORS), v128.load(VECTORS + 16)) + 1;
  if (c == 0x7b || c == 0x5b) return endOfNested(p, end);
  // A scalar: up to a comma, a closing bracket or a blank; a quote or an opening bracket is no part of one.
  const from = p;
  while (true) {
    const v = v128.load(p);
    const folded = v128.or(v, i8x16.splat(0x20)); // '[' as '{', ']' as '}'
    const m = i8x16.bitmask(v128.or(
      v128.or(i8x16.eq(v, i8x16.splat(0x2c)), v128.or(i8x16.eq(v, v128.load(VECTORS)), i8x16.lt_u(v, i8x16.splat(0x21)))),
      v128.or(i8x16.eq(folded, i8x16.splat(0x7b)), i8x16.eq(folded, i8x16.splat(0x7d))),
    ));
    if (!m) {
      p += 16;
      continue;
    }
    p += ctz(m);
    return p > from && endsValue(load<u8>(p)) ? p : 0;
  }
  return 0;
}

export function rareValue(kind: i32, s: usize, row: u32, p: usize, end: usize): usize {
  switch (kind) {
    case BOOL: return boolean(s, row, p);
    case DATE: return date(s, row, p);
    case JSON: return json(s, row, p, end);
    case BYTES: return bytes(s, row, p);
    case HOST: {
      if (load<u32>(p) == 0x6c6c756e) return storeNull(s, row, p);
      const q = valueEnd(p, end);
      return q ? host(s, row, p, q) : 0;
    }
    case PRESENT: {
      valid(s, row, 1);
      return p;
    }
    case NULL: return load<u32>(p) == 0x6c6c756e && endsValue(load<u8>(p, 4)) ? p + 4 : 0;
    case SKIP_OTHER: return load<u8>(p) == 0x7b ? 0 : skipValue(p, end);
    default: return slowNumber(s, row, p); // I32, DECIMAL
  }
}

