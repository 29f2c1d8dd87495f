// Records of delimited text without quotes: the structure of 64 bytes is found at once, then each wanted field lies
// between two known places. What is not plain is left to the general scanner.
import { clearValue, data8, F64, STEP, STRING, TIME, valid } from "./json-values";
import { digitMask, digitsN } from "./number";
import { POW10_F64, STRUCTURE, VECTORS } from "./tables";
import { isUtf8 } from "./text";

const SKIP: i32 = 0;
const PLAIN_BYTES: usize = 4096; // that are looked at at once: the host gives places for as many

/** Records that the last call took; each is one row. */
export let plainTaken: u32 = 0;

/**
 * Writes the look-up of structural bytes by their low four bits; false when two share them, or a field could be told
 * apart by its bytes only.
 */
export function preparePlain(delimiter: u32, quote: u32, width: u32): bool {
  if (width < 2 || width > 1024 || delimiter > 127 || (delimiter >= 43 && delimiter <= 57 && delimiter != 44)) return false;
  // an entry whose own low bits are others matches nothing
  for (let i: usize = 0; i < 16; i++) store<u8>(STRUCTURE + i, <u8>(i ^ 1));
  store<u8>(STRUCTURE + 10, 10);
  store<u8>(STRUCTURE + 13, 13);
  const at = <usize>(delimiter & 15);
  if (at == 10 || at == 13) return false;
  store<u8>(STRUCTURE + at, <u8>delimiter);
  if (quote > 255) return true;
  const beside = <usize>(quote & 15);
  if (quote > 127 || beside == 10 || beside == 13 || beside == at) return false;
  store<u8>(STRUCTURE + beside, <u8>quote);
  return true;
}

/** Bit i: byte i at p is structural. */
// @ts-ignore: decorator
@inline function structure16(p: usize, table: v128, low: v128): u64 {
  const v = v128.load(p);
  return <u64><u32>i8x16.bitmask(i8x16.eq(i8x16.swizzle(table, v128.and(v, low)), v));
}

/** Writes the places of the structural bytes of [p, stop) to `out`, and behind them; gives their number. */
function findStructure(p: usize, stop: usize, out: usize): u32 {
  const table = v128.load(STRUCTURE), low = i8x16.splat(15);
  const begin = out;
  for (; p < stop; p += 64) {
    let bits = structure16(p, table, low) | (structure16(p + 16, table, low) << 16) | (structure16(p + 32, table, low) << 32) | (structure16(p + 48, table, low) << 48);
    const count = <usize>popcnt(bits);
    // eight places whatever their number: no branch depends on the text, and loops cost as much as their bodies
    store<u32>(out, <u32>(p + <usize>ctz(bits)));
    bits &= bits - 1;
    store<u32>(out, <u32>(p + <usize>ctz(bits)), 4);
    bits &= bits - 1;
    store<u32>(out, <u32>(p + <usize>ctz(bits)), 8);
    bits &= bits - 1;
    store<u32>(out, <u32>(p + <usize>ctz(bits)), 12);
    bits &= bits - 1;
    store<u32>(out, <u32>(p + <usize>ctz(bits)), 16);
    bits &= bits - 1;
    store<u32>(out, <u32>(p + <usize>ctz(bits)), 20);
    bits &= bits - 1;
    store<u32>(out, <u32>(p + <usize>ctz(bits)), 24);
    bits &= bits - 1;
    store<u32>(out, <u32>(p + <usize>ctz(bits)), 28);
    bits &= bits - 1;
    for (let more = out + 32; bits; more += 4) {
      store<u32>(more, <u32>(p + <usize>ctz(bits)));
      bits &= bits - 1;
    }
    out += count << 2;
  }
  while (out > begin && load<usize>(out - 4) >= stop) out -= 4;
  return <u32>((out - begin) >> 2);
}

/** Whether the n bytes at p are UTF-8. */
// @ts-ignore: decorator
@inline function isText(p: usize, n: u32): bool {
  if (n <= 16) {
    const high = <u32>i8x16.bitmask(v128.load(p)) & ((1 << n) - 1);
    return high == 0 || isUtf8(p, n);
  }
  return isUtf8(p, n);
}

/** Whether the bytes at `n` places from `at` on are all `c`. */
// @ts-ignore: decorator
@inline function areAll(at: usize, n: usize, c: u32): bool {
  let differ: u32 = 0;
  for (; n >= 4; n -= 4, at += 16) {
    differ |= (<u32>load<u8>(load<usize>(at)) ^ c) | (<u32>load<u8>(load<usize>(at, 4)) ^ c) | (<u32>load<u8>(load<usize>(at, 8)) ^ c) | (<u32>load<u8>(load<usize>(at, 12)) ^ c);
  }
  if (n & 2) {
    differ |= (<u32>load<u8>(load<usize>(at)) ^ c) | (<u32>load<u8>(load<usize>(at, 4)) ^ c);
    at += 8;
  }
  if (n & 1) differ |= <u32>load<u8>(load<usize>(at)) ^ c;
  return differ == 0;
}

/** Stores the field [from, end) for step s; false when it is not plain. */
// @ts-ignore: decorator
@inline function plainField(s: usize, row: u32, from: usize, end: usize, fieldMost: u32): bool {
  const kind = load<i32>(s), n = <u32>(end - from);
  if (n == 0) return clearValue(s, row);
  if (kind == STRING) {
    const o = data8(s, row);
    store<u32>(o, <u32>from);
    store<u32>(o, n, 4);
    valid(s, row, 1);
    return n <= fieldMost && n <= load<u32>(s, 28) && isText(from, n);
  }
  if (kind < F64 || kind > TIME) return false;
  const negative = load<u8>(from) == 45;
  const a = from + <usize>negative, m = n - <u32>negative;
  if (m - 1 >= 15 || n > fieldMost) return false;
  const all: u32 = (1 << m) - 1;
  const others = (digitMask(a, v128.load(VECTORS + 48), v128.load(VECTORS + 96)) & all) ^ all;
  let n1 = m, v: f64;
  if (!others) v = <f64><i64>digitsN(a, m);
  else {
    // one point between digits
    n1 = <u32>ctz(others);
    const n2 = m - n1 - 1;
    if (kind != F64 || others & (others - 1) || !n1 || !n2 || load<u8>(a + n1) != 46) return false;
    const p10 = load<f64>(POW10_F64 + (<usize>n2 << 3));
    v = (<f64><i64>digitsN(a, n1) * p10 + <f64><i64>digitsN(a + n1 + 1, n2)) / p10;
  }
  if (n1 > 1 && load<u8>(a) == 48) return false;
  if (kind == TIME) v *= negative || load<i32>(s, 28) ? 1e300 : v < 1e11 ? 1e6 : v < 1e14 ? 1e3 : 1;
  else if (negative && (v != 0 || kind == F64)) v = -v;
  if (v > 9007199254740991) return false;
  store<f64>(data8(s, row), v);
  valid(s, row, 1);
  return true;
}

/**
 * Takes records from p on as long as they are plain, and returns where the first one begins that is not. The context is
 * that of the general scanner.
 */
export function plainRecords(ctx: usize, p: usize, idx: u32, row: u32): usize {
  const limit = load<usize>(ctx, 4), most = load<u32>(ctx, 8), steps = load<usize>(ctx, 20), wanted = load<u32>(ctx, 24);
  const width = load<usize>(ctx, 28), starts = load<usize>(ctx, 32), ends = load<usize>(ctx, 36), rowRecord = load<usize>(ctx, 40);
  const delimiter = load<u32>(ctx, 48), comment = load<u32>(ctx, 60), fieldMost = load<u32>(ctx, 76), places = load<usize>(ctx, 84);
  const last = (width - 1) << 2, first = idx;
  let isPlain = true;
  while (isPlain) {
    const stop = min(limit, p + PLAIN_BYTES);
    let at = places;
    const found = places + (<usize>findStructure(p, stop, places) << 2);
    if (at + last >= found) break;
    for (; at + last < found; at += last + 4) {
      const q = load<usize>(at + last), c = <u32>load<u8>(q);
      isPlain = (c == 10 || c == 13) && areAll(at, width - 1, delimiter) && idx < most && <u32>load<u8>(p) != comment;
      // a line feed may follow a carriage return
      if (c == 13 && q + 1 >= limit) isPlain = false;
      if (!isPlain) break;
      let from = p, s = steps;
      for (let f: u32 = 0; f < wanted; f++, s += STEP) {
        if (load<i32>(s) == SKIP) {
          const run = load<u32>(s, 28) - 1;
          f += run;
          s += STEP * <usize>run;
        } else if (!plainField(s, row, from, load<usize>(at + (<usize>f << 2)), fieldMost)) {
          isPlain = false;
          break;
        }
        from = load<usize>(at + (<usize>f << 2)) + 1;
      }
      if (!isPlain) break;
      store<u32>(starts + (<usize>idx << 2), <u32>p);
      store<u32>(ends + (<usize>idx << 2), <u32>q);
      store<u32>(rowRecord + (<usize>row << 2), idx);
      idx++;
      row++;
      p = q + 1;
      if (c == 13 && load<u8>(p) == 10) {
        p++;
        at += 4;
      }
    }
  }
  plainTaken = idx - first;
  return p;
}
