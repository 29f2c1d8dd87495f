// Template-speculating scanner of JSON records. A template is data: for each step the verbatim bytes between two values
// (compared 32 at a time) and what to do with the value behind them. See json-template.ts for who writes them.
import { digitMask, digitsN, doubleKnown, doubleOf, integerFits, integerOf, numberExact, numberExponent, numberMantissa, numberNegative, scanNumber } from "./number";
import { POW10_F64, POW10_U64, UNBASE64, VECTORS } from "./tables";
import { endOfNested, endOfString, isUtf8, unescape, unescapedEnd } from "./text";
import { isoDays, isoMicros, microsOf, parseDate, parseIso, unitFits } from "./time";
import { isJson, valueEnd } from "./validate";

// Converts [start, end), a whole JSON value, and stores it; 0: it does not fit.
// @ts-ignore: decorator
@external("env", "hostValue") declare function hostValue(column: u32, row: u32, start: usize, end: usize): i32;

// Step kinds.
const END: i32 = 0; // nothing more is wanted
const LAST: i32 = 1; // the literal ends the record
const LITERAL: i32 = 2; // the literal goes on in the next step
const PRESENT: i32 = 3; // a struct begins: it is not NULL
const NULL: i32 = 4; // `null`, for an object that columns lie in
const SKIP: i32 = 5; // any value
const SKIP_OTHER: i32 = 6; // any value but an object
const F64: i32 = 7;
const I64: i32 = 8;
const TIME: i32 = 9;
const STRING: i32 = 10;
const BOOL: i32 = 11;
const I32: i32 = 12;
const DATE: i32 = 13;
const DECIMAL: i32 = 14;
const JSON: i32 = 15;
const BYTES: i32 = 16;
const HOST: i32 = 17;

// Step: +0 kind +4 literal length +8 data +12 validity +16 wide lane +20 required +24 column +28 parameter
// +32 literal[32] +64 mask[32]
const STEP: usize = 96;
const WIDE_FLAG: usize = 64; // before the wide lane: a word that is 1 when a row is in it

const SAFE: u64 = 9007199254740991;

let side: usize = 0;
let hostCalls: u32 = 0;

// @ts-ignore: decorator
@inline function endsValue(c: u32): bool {
  return c == 0x2c || c == 0x7d || c == 0x5d || c <= 32;
}

// @ts-ignore: decorator
@inline function data8(s: usize, row: u32): usize {
  return load<usize>(s + 8) + (<usize>row << 3);
}

// @ts-ignore: decorator
@inline function valid(s: usize, row: u32, v: u8): void {
  store<u8>(load<usize>(s + 12) + row, v);
}

function storeNull(s: usize, row: u32, p: usize): usize {
  if (load<u32>(p) != 0x6c6c756e || load<u32>(s + 20)) return 0;
  valid(s, row, 0);
  const kind = load<i32>(s);
  const data = load<usize>(s + 8);
  // values at NULL rows are readable: numbers are finite, spans are empty
  if (kind == I32 || kind == DATE) store<i32>(data + (<usize>row << 2), 0);
  else if (kind == BOOL) store<u8>(data + row, 0);
  else if (data) store<u64>(data + (<usize>row << 3), 0);
  return p + 4;
}

/** Stores a 64-bit integer: in the safe lane, or NaN there and itself in the wide one. */
function storeWide(s: usize, row: u32, v: i64): void {
  const a = <u64>(v < 0 ? -v : v);
  if (a <= SAFE) store<f64>(data8(s, row), <f64>v);
  else {
    const wide = load<usize>(s + 16);
    store<f64>(data8(s, row), NaN);
    store<i64>(wide + (<usize>row << 3), v);
    store<u32>(wide - WIDE_FLAG, 1);
  }
  valid(s, row, 1);
}

function host(s: usize, row: u32, start: usize, end: usize): usize {
  hostCalls++;
  return hostValue(load<u32>(s + 24), row, start, end) ? end : 0;
}

/** Any form of number at p (also null, also quoted) for step s; behind the value, or 0 when only the host can tell. */
function slowNumber(s: usize, row: u32, p: usize): usize {
  const start = p;
  const quoted = load<u8>(p) == 0x22;
  if (load<u8>(p) == 0x6e) return storeNull(s, row, p);
  p = scanNumber(quoted ? p + 1 : p);
  if (!p) return 0;
  if (quoted) {
    if (load<u8>(p) != 0x22) return 0;
    p++;
  } else if (!endsValue(load<u8>(p))) return 0;
  const kind = load<i32>(s);
  if (kind == F64) {
    const v = doubleOf();
    if (!doubleKnown) return host(s, row, start, p);
    if (quoted && v - v != 0) return 0;
    store<f64>(data8(s, row), v);
    valid(s, row, 1);
    return p;
  }
  if (kind == DECIMAL) return storeDecimal(s, row, start, p);
  let v = integerOf();
  if (!integerFits) return numberExact ? 0 : host(s, row, start, p);
  if (kind == I32) {
    const bound = load<i32>(s + 28);
    if (v > <i64>bound || v < -<i64>bound - 1) return 0;
    store<i32>(load<usize>(s + 8) + (<usize>row << 2), <i32>v);
    valid(s, row, 1);
    return p;
  }
  if (kind == TIME) {
    v = microsOf(v, load<i32>(s + 28));
    if (!unitFits) return 0;
  }
  storeWide(s, row, v);
  return p;
}

// parameter: scale | (digits << 8), digits = min(precision, 16)
function storeDecimal(s: usize, row: u32, start: usize, end: usize): usize {
  const parameter = load<u32>(s + 28);
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
function slowString(s: usize, row: u32, p: usize, end: usize): usize {
  if (load<u8>(p) != 0x22) return storeNull(s, row, p);
  const q = unescape(p + 1, end, side);
  if (!q) return 0;
  const n = unescapedEnd - side;
  if (<u32>n > load<u32>(s + 28)) return 0;
  const o = data8(s, row);
  store<u32>(o, <u32>side);
  store<u32>(o + 4, <u32>n);
  side = unescapedEnd;
  valid(s, row, 1);
  return q + 1;
}

function time(s: usize, row: u32, p: usize): usize {
  if (load<u8>(p) != 0x22) return slowNumber(s, row, p);
  const q = parseIso(p + 1);
  if (!q) return slowNumber(s, row, p);
  if (load<u8>(q) != 0x22) return 0;
  storeWide(s, row, isoMicros);
  return q + 1;
}

function date(s: usize, row: u32, p: usize): usize {
  if (load<u8>(p) != 0x22) return storeNull(s, row, p);
  if (!parseDate(p + 1) || load<u8>(p + 11) != 0x22) return 0;
  store<i32>(load<usize>(s + 8) + (<usize>row << 2), isoDays);
  valid(s, row, 1);
  return p + 12;
}

function boolean(s: usize, row: u32, p: usize): usize {
  const o = load<usize>(s + 8) + row;
  if (load<u32>(p) == 0x65757274) {
    p += 4;
    store<u8>(o, 1);
  } else if (load<u32>(p + 1) == 0x65736c61 && load<u8>(p) == 0x66) {
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
    const a = <u32>load<u8>(UNBASE64 + <usize>load<u8>(p)), b = <u32>load<u8>(UNBASE64 + <usize>load<u8>(p + 1));
    const third = load<u8>(p + 2), fourth = load<u8>(p + 3);
    const c = <u32>load<u8>(UNBASE64 + <usize>third), d = <u32>load<u8>(UNBASE64 + <usize>fourth);
    if ((a | b) > 63) return 0;
    if ((c | d) > 63) {
      if (fourth != 0x3d || load<u8>(p + 4) != 0x22) return 0;
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
    store<u8>(out + 1, <u8>(v >> 8));
    store<u8>(out + 2, <u8>v);
    out += 3;
    p += 4;
  }
  const o = data8(s, row);
  store<u32>(o, <u32>side);
  store<u32>(o + 4, <u32>(out - side));
  side = out;
  valid(s, row, 1);
  return p + 1;
}

function json(s: usize, row: u32, p: usize, end: usize): usize {
  if (load<u8>(p) == 0x6e && load<u32>(p) == 0x6c6c756e && load<u32>(s + 28)) return storeNull(s, row, p);
  const q = valueEnd(p, end);
  if (!q || !endsValue(load<u8>(q))) return 0;
  const o = data8(s, row);
  store<u32>(o, <u32>p);
  store<u32>(o + 4, <u32>(q - p));
  valid(s, row, 1);
  return q;
}

/** Behind any value, unchecked; 0 when it has no end. */
function skipValue(p: usize, end: usize): usize {
  let c = load<u8>(p);
  if (c == 0x22) return endOfString(p + 1, v128.load(VECTORS), v128.load(VECTORS + 16)) + 1;
  if (c == 0x7b || c == 0x5b) return endOfNested(p, end);
  const from = p;
  while (!endsValue(c)) {
    if (c == 0x22 || c == 0x7b || c == 0x5b) return 0;
    c = load<u8>(++p);
  }
  return p > from ? p : 0;
}

function rareValue(kind: i32, s: usize, row: u32, p: usize, end: usize): usize {
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
    case NULL: return load<u32>(p) == 0x6c6c756e && endsValue(load<u8>(p + 4)) ? p + 4 : 0;
    case SKIP_OTHER: return load<u8>(p) == 0x7b ? 0 : skipValue(p, end);
    default: return slowNumber(s, row, p); // I32, DECIMAL
  }
}

/**
 * Scans the records idx … count − 1 of ctx into rows. Words of ctx: +0 starts +4 ends +8 idx (in, out) +12 count
 * +16 row (in, out) +20 template table +24 templates +28 hits per template +32 record index per row +36 side region
 * (in, out) +40 strict +44 values that the host converted (out).
 * Returns 0 at the end, 1 when no template fits record idx, 2 when one of its values needs the host.
 */
export function scanJson(ctx: usize): i32 {
  const quote = v128.load(VECTORS), backslash = v128.load(VECTORS + 16), ten = v128.load(VECTORS + 32);
  const zero = v128.load(VECTORS + 48), space = v128.load(VECTORS + 64);
  const starts = load<usize>(ctx), ends = load<usize>(ctx + 4), count = load<u32>(ctx + 12);
  const table = load<usize>(ctx + 20), templates = load<u32>(ctx + 24), hits = load<usize>(ctx + 28);
  const rowRecord = load<usize>(ctx + 32), strict = load<u32>(ctx + 40);
  let idx = load<u32>(ctx + 8), row = load<u32>(ctx + 16), status = 0;
  side = load<usize>(ctx + 36);
  hostCalls = 0;
  if (!templates) return idx < count ? 1 : 0;
  const first = load<usize>(table);
  while (idx < count) {
    const record = load<u32>(starts + (<usize>idx << 2)), end = load<u32>(ends + (<usize>idx << 2));
    store<u32>(rowRecord + (<usize>row << 2), idx);
    const sideAtStart = side;
    let bad = 0, ti: u32 = 0, s = first, p: usize = record;
    let last: usize = end; // behind the last byte that is not blank
    while (last > record && load<u8>(last - 1) <= 32) last--;
    if (load<u8>(last - 1) != 0x7d || (strict && !isJson(record, end))) bad = 2;
    else while (true) {
      const kind = load<i32>(s);
      if (kind == END) break;
      const length = load<u32>(s + 4);
      let diff = v128.and(v128.xor(v128.load(p), v128.load(s + 32)), v128.load(s + 64));
      if (length > 16) diff = v128.or(diff, v128.and(v128.xor(v128.load(p + 16), v128.load(s + 48)), v128.load(s + 80)));
      if (v128.any_true(diff)) bad = 1;
      else {
        p += length;
        switch (kind) {
          case SKIP: {
            if (load<u8>(p) == 0x22) p = endOfString(p + 1, quote, backslash) + 1;
            else {
              p = skipValue(p, end);
              if (!p) bad = 1;
            }
            break;
          }
          case F64: {
            const p0 = p;
            const negative = load<u8>(p) == 45;
            p += <usize>negative;
            const m = digitMask(p, zero, ten);
            const n1 = <u32>ctz(~m);
            if (n1 - 1 > 14 || (n1 > 1 && load<u8>(p) == 48)) {
              p = slowNumber(s, row, p0);
              if (!p) bad = 2;
              break;
            }
            let v = <f64><i64>digitsN(p, n1);
            p += n1;
            let c = <u32>load<u8>(p);
            if (c == 46) {
              const n2 = <u32>ctz(~(m >> (n1 + 1)));
              if (n2 == 0 || n1 + n2 > 14) {
                p = slowNumber(s, row, p0);
                if (!p) bad = 2;
                break;
              }
              const p10 = load<f64>(POW10_F64 + (<usize>n2 << 3));
              v = (v * p10 + <f64><i64>digitsN(p + 1, n2)) / p10;
              p += n2 + 1;
              c = <u32>load<u8>(p);
            }
            if (!endsValue(c)) {
              p = slowNumber(s, row, p0);
              if (!p) bad = 2;
              break;
            }
            store<f64>(data8(s, row), negative ? -v : v);
            valid(s, row, 1);
            break;
          }
          case I64: {
            const p0 = p;
            const negative = load<u8>(p) == 45;
            p += <usize>negative;
            const n = <u32>ctz(~digitMask(p, zero, ten));
            if (n - 1 > 14 || (n > 1 && load<u8>(p) == 48) || !endsValue(load<u8>(p + n))) {
              p = slowNumber(s, row, p0);
              if (!p) bad = 2;
              break;
            }
            const v = <i64>digitsN(p, n);
            p += n;
            store<f64>(data8(s, row), <f64>(negative ? -v : v));
            valid(s, row, 1);
            break;
          }
          case TIME: {
            const n = <u32>ctz(~digitMask(p, zero, ten));
            if (n - 1 > 14 || (n > 1 && load<u8>(p) == 48) || !endsValue(load<u8>(p + n)) || load<i32>(s + 28)) {
              p = time(s, row, p);
              if (!p) bad = 2;
              break;
            }
            let v = <f64><i64>digitsN(p, n);
            v *= v < 1e11 ? 1e6 : v < 1e14 ? 1e3 : 1;
            if (v > 9007199254740991) {
              p = time(s, row, p);
              if (!p) bad = 2;
              break;
            }
            p += n;
            store<f64>(data8(s, row), v);
            valid(s, row, 1);
            break;
          }
          case STRING: {
            const from = p + 1;
            let q = from, high: u32 = 0, m: u32 = 0;
            if (load<u8>(p) == 0x22) while (true) {
              const v = v128.load(q);
              m = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.lt_u(v, space)));
              const h = <u32>i8x16.bitmask(v);
              if (m) {
                high |= h & (m - 1) & ~m;
                q += ctz(m);
                break;
              }
              high |= h;
              q += 16;
            }
            const n = <u32>(q - from);
            if (!m || load<u8>(q) != 0x22) {
              p = slowString(s, row, p, end);
              if (!p) bad = 2;
              break;
            }
            if (n > load<u32>(s + 28) || (high && !isUtf8(from, n))) {
              bad = 2;
              break;
            }
            const o = data8(s, row);
            store<u32>(o, <u32>from);
            store<u32>(o + 4, n);
            valid(s, row, 1);
            p = q + 1;
            break;
          }
          case LITERAL: break;
          case LAST: {
            if (p != last) bad = 1;
            break;
          }
          default: {
            const q = rareValue(kind, s, row, p, end);
            if (!q) bad = kind < SKIP || kind == SKIP_OTHER ? 1 : 2;
            p = q;
          }
        }
        if (!bad) {
          if (kind == LAST) break;
          s += STEP;
          continue;
        }
      }
      // another shape? The bytes compared so far are read again: shapes differ early or are rare.
      if (bad == 1 && ++ti < templates) {
        s = load<usize>(table + (<usize>ti << 2));
        p = record;
        side = sideAtStart;
        bad = 0;
        continue;
      }
      break;
    }
    // a string ran over the record's end, or its last bracket closes a value
    if (!bad && (p > last || (p == last && load<i32>(s) == END))) bad = 2;
    if (bad) {
      side = sideAtStart;
      status = bad;
      break;
    }
    store<u32>(hits + (<usize>ti << 2), load<u32>(hits + (<usize>ti << 2)) + 1);
    row++;
    idx++;
  }
  store<u32>(ctx + 8, idx);
  store<u32>(ctx + 16, row);
  store<usize>(ctx + 36, side);
  store<u32>(ctx + 44, load<u32>(ctx + 44) + hostCalls);
  return status;
}

/** Fills the wide lane from the safe one where that is a number; it stays readable where it is not. */
export function widen(data: usize, wide: usize, rows: u32): void {
  for (let i: usize = 0; i < <usize>rows; i++) {
    const v = load<f64>(data + (i << 3));
    if (v == v) store<i64>(wide + (i << 3), <i64>v);
    else store<f64>(data + (i << 3), 0);
  }
}

/** True when one of the n bytes at p is 0. */
export function anyZero(p: usize, n: u32): bool {
  const end = p + n;
  for (; p + 16 <= end; p += 16) if (!i8x16.all_true(v128.load(p))) return true;
  for (; p < end; p++) if (!load<u8>(p)) return true;
  return false;
}
