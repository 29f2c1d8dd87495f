// Scanner of delimited text: fields by position, quoted fields and line breaks in them, LF, CRLF and CR.
import { BOOL, clearValue, data8, DATE, DECIMAL, F64, host, I32, I64, resetHostCalls, hostCalls, setSide, side, STEP, storeNumber, storeWide, STRING, TIME, valid } from "./json-values";
import { plainRecords, plainTaken, preparePlain } from "./csv-plain";
import { digitMask, digitsN, scanNumber } from "./number";
import { POW10_F64, VECTORS } from "./tables";
import { isUtf8 } from "./text";
import { isoDays, isoMicros, parseDate, parseIso } from "./time";

// Words of ctx: +0 position (in, out) +4 limit +8 most records +12 record index (in, out) +16 row (in, out) +20 steps, one
// per field up to the last wanted one (for a field that no column reads, +28 is how many such follow, itself included) +24 their number +28 fields of a record +32 starts +36 ends +40 record per row
// +44 side (in, out) +48 delimiter +52 quote +56 escape +60 comment (256: none) +64 flags +68 text of NULL +72 its length
// +76 longest field +80 values that the host converted (in, out) +84 room for places of structural bytes
const PAD: u32 = 1; // short and long records are taken
const TRIM: u32 = 2;
const SKIP: i32 = 0; // kind of a field that no column reads

let delimiter: u32 = 0;
let quote: u32 = 0;
let escape: u32 = 0;
let trim: bool = false;
let nullText: usize = 0;
let nullLength: u32 = 0;
let fieldMost: u32 = 0;
let limit: usize = 0;

// The last field: where it is, and whether it stood in quotes or has bytes ≥ 80.
let fieldStart: usize = 0;
let fieldEnd: usize = 0;
let fieldQuoted: bool = false;
let fieldHigh: u32 = 0;

// @ts-ignore: decorator
@inline function isBreak(c: u32): bool {
  return c == 10 || c == 13;
}

/**
 * Takes the quoted field whose quote is at p; escapes are resolved into the side region. Returns the position behind it
 * and behind blanks when trimming; 0 at the limit, 1 when something follows the closing quote.
 */
function quotedField(p: usize): usize {
  const q = i8x16.splat(<u8>quote), e = i8x16.splat(<u8>escape);
  let out: usize = 0, from = ++p;
  fieldHigh = 0;
  while (true) {
    const v = v128.load(p);
    const m = <u32>i8x16.bitmask(v128.or(i8x16.eq(v, q), i8x16.eq(v, e)));
    fieldHigh |= i8x16.bitmask(v);
    if (!m) {
      p += 16;
      if (p >= limit) return 0;
      continue;
    }
    p += ctz(m);
    if (p >= limit) return 0;
    const c = <u32>load<u8>(p), next = <u32>load<u8>(p, 1);
    if (c == escape && (next == quote || (next == escape && escape != quote)) && p + 1 < limit) {
      // the part before the escape moves to the side region, the escaped byte begins the next part
      if (!out) {
        out = side;
        fieldStart = side;
      }
      memory.copy(out, from, p - from);
      out += p - from;
      from = p + 1;
      p += 2;
      continue;
    }
    if (c != quote) {
      p++;
      continue;
    }
    if (!out) {
      fieldStart = from;
      fieldEnd = p;
    } else {
      memory.copy(out, from, p - from);
      fieldEnd = out + (p - from);
      setSide(fieldEnd);
    }
    p++;
    break;
  }
  fieldQuoted = true;
  if (trim) while (load<u8>(p) == 32) p++;
  if (p >= limit) return 0; // a second quote may follow
  const c = <u32>load<u8>(p);
  return c == delimiter || isBreak(c) ? p : 1;
}

/** Takes the field at p; returns where its delimiter or line break is, 0 at the limit, 1 when it is malformed. */
// @ts-ignore: decorator
@inline function takeField(p: usize, d: v128, lf: v128, cr: v128): usize {
  if (trim) while (load<u8>(p) == 32 && delimiter != 32) p++;
  if (<u32>load<u8>(p) == quote) return quotedField(p);
  fieldStart = p;
  fieldQuoted = false;
  let high: u32 = 0;
  while (true) {
    const v = v128.load(p);
    const m = <u32>i8x16.bitmask(v128.or(i8x16.eq(v, d), v128.or(i8x16.eq(v, lf), i8x16.eq(v, cr))));
    const h = <u32>i8x16.bitmask(v);
    if (m) {
      p += ctz(m);
      high |= h & (m - 1) & ~m;
      break;
    }
    high |= h;
    p += 16;
    if (p >= limit) return 0;
  }
  if (p >= limit) return 0;
  fieldHigh = high;
  fieldEnd = p;
  if (trim) while (fieldEnd > fieldStart && load<u8>(fieldEnd - 1) == 32) fieldEnd--;
  return p;
}

function isNullText(): bool {
  if (fieldQuoted || fieldEnd - fieldStart != nullLength) return false;
  for (let i: usize = 0; i < <usize>nullLength; i++) {
    if (load<u8>(fieldStart + i) != load<u8>(nullText + i)) return false;
  }
  return true;
}

/** Stores the last field as STRING. */
// @ts-ignore: decorator
@inline function storeString(s: usize, row: u32): bool {
  const start = fieldStart, n = <u32>(fieldEnd - start);
  if (n == nullLength && isNullText()) return clearValue(s, row);
  if (n > fieldMost || n > load<u32>(s, 28) || (fieldHigh && !isUtf8(start, n))) return false;
  const o = data8(s, row);
  store<u32>(o, <u32>start);
  store<u32>(o, n, 4);
  valid(s, row, 1);
  return true;
}

/** Stores the last field in the column of step s; false: only the host can tell. */
function storeField(s: usize, row: u32): bool {
  if (isNullText()) return clearValue(s, row);
  const kind = load<i32>(s), n = <u32>(fieldEnd - fieldStart);
  if (n > fieldMost) return false;
  if (kind == TIME && parseIso(fieldStart) == fieldEnd) {
    storeWide(s, row, isoMicros);
    return true;
  }
  if (kind == DATE && n == 10 && parseDate(fieldStart)) {
    store<i32>(load<usize>(s, 8) + (<usize>row << 2), isoDays);
    valid(s, row, 1);
    return true;
  }
  if (kind == BOOL && ((n == 4 && load<u32>(fieldStart) == 0x65757274) || (n == 5 && load<u32>(fieldStart, 1) == 0x65736c61))) {
    if (n == 5 && load<u8>(fieldStart) != 0x66) return false;
    store<u8>(load<usize>(s, 8) + row, <u8>(n == 4));
    valid(s, row, 1);
    return true;
  }
  if (kind == F64 || kind == I64 || kind == I32 || kind == TIME || kind == DECIMAL) {
    if (scanNumber(fieldStart) == fieldEnd) return storeNumber(s, row, fieldStart, fieldEnd) != 0;
  }
  return host(s, row, fieldStart, fieldEnd) != 0;
}

/** The n-th delimiter from p on, if no quote or line break comes before it; else 0. */
// @ts-ignore: decorator
@inline function nthDelimiter(p: usize, n: u32, d: v128, lf: v128, cr: v128, quotes: v128): usize {
  while (p < limit) {
    const v = v128.load(p);
    let delimiters = <u32>i8x16.bitmask(i8x16.eq(v, d));
    const stops = <u32>i8x16.bitmask(v128.or(i8x16.eq(v, quotes), v128.or(i8x16.eq(v, lf), i8x16.eq(v, cr))));
    delimiters &= (stops & -stops) - 1; // those before the first stop; all of them when there is none
    const count = <u32>popcnt(delimiters);
    if (count >= n) {
      for (; n > 1; n--) delimiters &= delimiters - 1;
      p += ctz(delimiters);
      return p < limit ? p : 0;
    }
    if (stops) return 0;
    n -= count;
    p += 16;
  }
  return 0;
}

/**
 * Counts the fields from the one at p to the record's end; its line break goes to fieldEnd. Returns −1 at the limit, −2
 * when one is malformed.
 */
function countFields(p: usize, d: v128, lf: v128, cr: v128): i32 {
  const q = i8x16.splat(<u8>quote);
  let count = 1, begin = p;
  while (true) {
    const v = v128.load(p);
    const delimiters = <u32>i8x16.bitmask(i8x16.eq(v, d));
    const m = <u32>i8x16.bitmask(v128.or(i8x16.eq(v, q), v128.or(i8x16.eq(v, lf), i8x16.eq(v, cr))));
    if (!m) {
      count += popcnt(delimiters);
      p += 16;
      if (p >= limit) return -1;
      continue;
    }
    const k = <u32>ctz(m);
    count += popcnt(delimiters & ((1 << k) - 1));
    p += k;
    if (p >= limit) return -1;
    const c = <u32>load<u8>(p);
    if (isBreak(c)) {
      fieldEnd = p;
      return count;
    }
    if (c != quote) { // no quotes in this dialect
      p++;
      continue;
    }
    let before = p;
    if (trim) while (before > begin && load<u8>(before - 1) == 32) before--;
    if (before == begin || <u32>load<u8>(before - 1) == delimiter) {
      const keep = side;
      p = quotedField(p);
      setSide(keep);
      if (!p) return -1;
      if (p == 1) return -2;
    } else p++;
  }
}

/**
 * Scans records from the position on. Returns 0 when the rest is no whole record, 1 at the most records, 2 when the
 * record at the position needs the host.
 */
export function scanCsv(ctx: usize): i32 {
  let p = load<usize>(ctx);
  limit = load<usize>(ctx, 4);
  const most = load<u32>(ctx, 8), steps = load<usize>(ctx, 20), wanted = load<u32>(ctx, 24), width = load<u32>(ctx, 28);
  const starts = load<usize>(ctx, 32), ends = load<usize>(ctx, 36), rowRecord = load<usize>(ctx, 40);
  let idx = load<u32>(ctx, 12), row = load<u32>(ctx, 16), status = 0;
  setSide(load<usize>(ctx, 44));
  resetHostCalls();
  delimiter = load<u32>(ctx, 48);
  quote = load<u32>(ctx, 52);
  escape = load<u32>(ctx, 56);
  const comment = load<u32>(ctx, 60), flags = load<u32>(ctx, 64);
  trim = (flags & TRIM) != 0;
  const pad = (flags & PAD) != 0;
  nullText = load<usize>(ctx, 68);
  nullLength = load<u32>(ctx, 72);
  fieldMost = load<u32>(ctx, 76);
  const d = i8x16.splat(<u8>delimiter), lf = v128.load(VECTORS + 32), cr = i8x16.splat(13), zero = v128.load(VECTORS + 48), nine = v128.load(VECTORS + 96);
  const quotes = i8x16.splat(<u8>quote);
  const simple = !trim && nullLength == 0 && (delimiter == 44 || delimiter < 43 || delimiter > 57);
  const plain = !trim && nullLength == 0 && preparePlain(delimiter, quote, width);
  let wait: i32 = 0, pause: i32 = 0; // records until plain ones are looked for again
  while (p < limit) {
    if (plain && --wait < 0) {
      p = plainRecords(ctx, p, idx, row);
      idx += plainTaken;
      row += plainTaken;
      pause = plainTaken ? 0 : min(2 * pause + 1, 64);
      wait = pause;
      if (p >= limit) break;
    }
    const record = p, sideAtStart = side;
    let c = <u32>load<u8>(p);
    if (c == comment || (isBreak(c) && width != 1)) {
      while (!isBreak(<u32>load<u8>(p)) && p < limit) p++;
      if (p + <usize>(load<u8>(p) == 13) >= limit) {
        p = record;
        break;
      }
      p += load<u16>(p) == 0x0a0d ? 2 : 1;
      continue;
    }
    if (idx >= most) {
      status = 1;
      break;
    }
    let bad = 0, s = steps, f: u32 = 0;
    c = delimiter;
    for (; f < wanted && c == delimiter; f++, s += STEP) {
      if (f) p++;
      const kind = load<i32>(s);
      // Plain numbers are read without looking for their end first.
      if (simple && kind >= F64 && kind <= TIME) {
        const negative = load<u8>(p) == 45;
        const from = p + <usize>negative;
        const m = digitMask(from, zero, nine);
        const n1 = <u32>ctz(~m);
        if (n1 - 1 < 15 && (n1 == 1 || load<u8>(from) != 48)) {
          let q = from + n1, v = <f64><i64>digitsN(from, n1);
          c = <u32>load<u8>(q);
          if (c == 46 && kind == F64) {
            const n2 = <u32>ctz(~(m >> (n1 + 1)));
            if (n2 && n1 + n2 < 15) {
              const p10 = load<f64>(POW10_F64 + (<usize>n2 << 3));
              v = (v * p10 + <f64><i64>digitsN(q + 1, n2)) / p10;
              q += n2 + 1;
              c = <u32>load<u8>(q);
            }
          }
          if (kind == TIME) v *= negative || load<i32>(s, 28) ? 1e300 : v < 1e11 ? 1e6 : v < 1e14 ? 1e3 : 1;
          else if (negative && (v != 0 || kind == F64)) v = -v;
          if ((c == delimiter || isBreak(c)) && q < limit && v <= 9007199254740991) {
            store<f64>(data8(s, row), v);
            valid(s, row, 1);
            p = q;
            continue;
          }
        }
      }
      if (kind == SKIP && !trim) {
        const run = load<u32>(s, 28);
        const q = nthDelimiter(p, run, d, lf, cr, quotes);
        if (q) {
          p = q;
          f += run - 1;
          s += STEP * <usize>(run - 1);
          c = delimiter;
          continue;
        }
      }
      const q = takeField(p, d, lf, cr);
      if (q < 2) {
        bad = q ? 2 : 1;
        break;
      }
      if (kind == STRING ? !storeString(s, row) : kind != SKIP && !storeField(s, row)) {
        bad = 2;
        break;
      }
      p = q;
      c = <u32>load<u8>(p);
    }
    if (!bad) {
      if (c == delimiter && wanted) {
        const more = countFields(p + 1, d, lf, cr);
        if (more < 0) bad = more == -1 ? 1 : 2;
        else if (f + <u32>more != width && !pad) bad = 2;
        p = fieldEnd;
      } else if (!wanted) {
        const all = countFields(p, d, lf, cr);
        if (all < 0) bad = all == -1 ? 1 : 2;
        else if (<u32>all != width && !pad) bad = 2;
        p = fieldEnd;
      } else if (f != width) {
        if (!pad) bad = 2;
        else for (; f < wanted && !bad; f++, s += STEP) if (load<i32>(s) != SKIP && !clearValue(s, row)) bad = 2;
      }
    }
    // a carriage return at the limit: a line feed may follow
    if (!bad && load<u8>(p) == 13 && p + 1 >= limit) bad = 1;
    if (bad) {
      setSide(sideAtStart);
      p = record;
      if (bad == 2) status = 2;
      break;
    }
    store<u32>(starts + (<usize>idx << 2), <u32>record);
    store<u32>(ends + (<usize>idx << 2), <u32>p);
    store<u32>(rowRecord + (<usize>row << 2), idx);
    p += load<u16>(p) == 0x0a0d ? 2 : 1;
    idx++;
    row++;
  }
  store<usize>(ctx, p);
  store<u32>(ctx, idx, 12);
  store<u32>(ctx, row, 16);
  store<usize>(ctx, side, 44);
  store<u32>(ctx, load<u32>(ctx, 80) + hostCalls, 80);
  return status;
}
