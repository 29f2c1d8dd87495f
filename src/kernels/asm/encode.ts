// Row encoder for JSON lines and CSV: a program of steps per row, run over columns.
import { BASE64, ESCAPE, VECTORS } from "./tables";
import { copyOver } from "./text";
import { putDate, putDouble, putInt, putScaled, putTimestamp } from "./write";

// Step: +0 literal +4 its length +8 kind +12 data +16 validity (0: no NULL) +20 extra +24 steps to skip when a struct
// is NULL +28 flags: 1 = quote with " (JSON text forms)
const STEP: usize = 32;
const END: i32 = 0;
const F64: i32 = 1;
const I32: i32 = 2;
const I64: i32 = 3; // float64 lane
const I64_WIDE: i32 = 4;
const SCALED: i32 = 5; // extra: scale
const SCALED_WIDE: i32 = 6;
const TIME: i32 = 7;
const TIME_WIDE: i32 = 8;
const DATE: i32 = 9;
const BOOL: i32 = 10;
const STRING: i32 = 11; // spans, written as JSON string
const RAW: i32 = 12; // spans, copied
const BYTES: i32 = 13; // spans, as base64
const CODES: i32 = 14; // extra: spans of the dictionary's entries
const STRUCT: i32 = 15; // when NULL: null, and over its fields
const CHANGE: i32 = 16; // change codes, or no data: +I
const CSV_TEXT: i32 = 17; // spans, quoted where needed
const CSV_CODES: i32 = 18;
const CONSTANT: i32 = 19; // the literal only
const RATIO: i32 = 20; // sums; extra: counts

let end: usize = 0;
let full: bool = false;

// CSV dialect
let delimiter: u8 = 44;
let quoteByte: u8 = 34;
let escapeByte: u8 = 34;
let nullText: usize = 0;
let nullLength: u32 = 0;

/** The dialect of CSV_TEXT and of NULL; a JSON program sets `null`. */
export function encodeDialect(d: u32, q: u32, e: u32, text: usize, length: u32): void {
  delimiter = <u8>d;
  quoteByte = <u8>q;
  escapeByte = <u8>e;
  nullText = text;
  nullLength = length;
}

/** The text [p, p + n) as a JSON string. Sets `full` and writes nothing when there may be too little room. */
function putString(o: usize, p: usize, n: u32): usize {
  if (o + <usize>n + 64 > end && o + 6 * <usize>n + 64 > end) {
    full = true;
    return o;
  }
  const quote = v128.load(VECTORS), backslash = v128.load(VECTORS + 16), space = v128.load(VECTORS + 64);
  store<u8>(o++, 0x22);
  const stop = p + n;
  while (p < stop) {
    const v = v128.load(p);
    v128.store(o, v);
    const m = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.lt_u(v, space)));
    const k = m ? <usize>ctz(m) : 16;
    if (p + k >= stop) {
      o += stop - p;
      break;
    }
    p += k;
    o += k;
    if (!m) continue;
    if (o + 6 * (stop - p) + 64 > end) {
      full = true;
      return o;
    }
    const c = <u32>load<u8>(p++);
    const e = load<u8>(ESCAPE + <usize>c);
    store<u8>(o, 0x5c);
    store<u8>(o, e, 1);
    o += 2;
    if (e == 0x75) {
      store<u16>(o, 0x3030);
      store<u8>(o, <u8>(48 + (c >> 4)), 2);
      const low = c & 15;
      store<u8>(o, <u8>(low < 10 ? 48 + low : 87 + low), 3);
      o += 4;
    }
  }
  store<u8>(o, 0x22);
  return o + 1;
}

function putBase64(o: usize, p: usize, n: u32): usize {
  if (o + 2 * <usize>n + 64 > end) {
    full = true;
    return o;
  }
  const stop = p + n;
  for (; p + 3 <= stop; p += 3) {
    const v = (<u32>load<u8>(p) << 16) | (<u32>load<u8>(p, 1) << 8) | <u32>load<u8>(p, 2);
    store<u8>(o, load<u8>(BASE64 + <usize>(v >> 18)));
    store<u8>(o, load<u8>(BASE64 + <usize>((v >> 12) & 63)), 1);
    store<u8>(o, load<u8>(BASE64 + <usize>((v >> 6) & 63)), 2);
    store<u8>(o, load<u8>(BASE64 + <usize>(v & 63)), 3);
    o += 4;
  }
  if (p < stop) {
    const pair = stop - p == 2;
    const v = (<u32>load<u8>(p) << 16) | (pair ? <u32>load<u8>(p, 1) << 8 : 0);
    store<u8>(o, load<u8>(BASE64 + <usize>(v >> 18)));
    store<u8>(o, load<u8>(BASE64 + <usize>((v >> 12) & 63)), 1);
    store<u8>(o, pair ? load<u8>(BASE64 + <usize>((v >> 6) & 63)) : 0x3d, 2);
    store<u8>(o, 0x3d, 3);
    o += 4;
  }
  return o;
}

function putRaw(o: usize, p: usize, n: u32): usize {
  if (o + <usize>n + 64 > end) {
    full = true;
    return o;
  }
  // Control characters in JSON text are blanks between tokens; a line break there would end the record.
  const space = v128.load(VECTORS + 64);
  for (let i: usize = 0; i < <usize>n; i += 16) {
    const v = v128.load(p + i);
    v128.store(o + i, v128.bitselect(space, v, i8x16.lt_u(v, space)));
  }
  return o + n;
}

function sameText(p: usize, n: u32): bool {
  if (n != nullLength) return false;
  for (let i: usize = 0; i < <usize>n; i++) if (load<u8>(p + i) != load<u8>(nullText + i)) return false;
  return true;
}

/** A CSV field: quoted when it holds a delimiter, quote or line break, is the text of NULL, or has blank edges. */
function putField(o: usize, p: usize, n: u32): usize {
  if (o + 2 * <usize>n + 64 > end) {
    full = true;
    return o;
  }
  let special: u32 = sameText(p, n) ? 1 : 0;
  if (n && (load<u8>(p) == 32 || load<u8>(p + n - 1) == 32)) special = 1;
  const d = i8x16.splat(delimiter), q = i8x16.splat(quoteByte);
  for (let i: usize = 0; i < <usize>n && !special; i += 16) {
    const v = v128.load(p + i);
    let m = <u32>i8x16.bitmask(v128.or(
      v128.or(i8x16.eq(v, d), i8x16.eq(v, q)),
      v128.or(i8x16.eq(v, i8x16.splat(10)), i8x16.eq(v, i8x16.splat(13))),
    ));
    if (<usize>n - i < 16) m &= (<u32>1 << (n - <u32>i)) - 1;
    special = m;
  }
  if (!special) {
    copyOver(o, p, n);
    return o + n;
  }
  store<u8>(o++, quoteByte);
  for (let i: usize = 0; i < <usize>n; i++) {
    const c = load<u8>(p + i);
    if (c == quoteByte || c == escapeByte) store<u8>(o++, escapeByte);
    store<u8>(o++, c);
  }
  store<u8>(o, quoteByte);
  return o + 1;
}

function putSpecial(o: usize, x: f64, quoted: bool): usize { // "NaN", "Infinity", "-Infinity"
  if (quoted) store<u8>(o++, 0x22);
  if (x != x) {
    store<u32>(o, 0x004e614e);
    o += 3;
  } else {
    if (x < 0) store<u8>(o++, 45);
    store<u64>(o, 0x7974696e69666e49);
    o += 8;
  }
  if (quoted) store<u8>(o++, 0x22);
  return o;
}

// sum / count with 16 digits behind the point, rounded half away from zero, trailing zeros trimmed; two steps of eight
// digits, exact in u64 while count < 1.8e11.
function putRatio(o: usize, sum: f64, count: f64): usize {
  let rest = <u64>abs<f64>(sum);
  const n = <u64>count;
  let whole = rest / n;
  rest = (rest % n) * 100000000;
  let first = rest / n;
  rest = (rest % n) * 100000000;
  let second = rest / n;
  if ((rest % n) * 2 >= n) second++;
  if (second == 100000000) { second = 0; first++; }
  if (first == 100000000) { first = 0; whole++; }
  if (sum < 0 && (whole | first | second) != 0) store<u8>(o++, 45);
  o = putInt(o, <i64>whole);
  if ((first | second) == 0) return o;
  store<u8>(o++, 46);
  o = putEight(o, <u32>first);
  if (second) o = putEight(o, <u32>second);
  while (load<u8>(o - 1) == 48) o--;
  return o;
}

function putEight(o: usize, v: u32): usize {
  for (let i: i32 = 7; i >= 0; i--) {
    store<u8>(o + i, <u8>(48 + v % 10));
    v /= 10;
  }
  return o + 8;
}

function putRare(o: usize, kind: i32, s: usize, row: usize, quoted: bool): usize {
  const data = load<usize>(s, 12);
  switch (kind) {
    case I32: return putInt(o, <i64>load<i32>(data + (row << 2)));
    case I64_WIDE: return putInt(o, load<i64>(data + (row << 3)));
    case SCALED:
    case SCALED_WIDE: {
      const v = kind == SCALED ? <i64>load<f64>(data + (row << 3)) : load<i64>(data + (row << 3));
      if (quoted) store<u8>(o++, 0x22);
      o = putScaled(o, v, load<u32>(s, 20));
      if (quoted) store<u8>(o++, 0x22);
      return o;
    }
    case RATIO: {
      if (quoted) store<u8>(o++, 0x22);
      o = putRatio(o, load<f64>(data + (row << 3)), load<f64>(load<usize>(s, 20) + (row << 3)));
      if (quoted) store<u8>(o++, 0x22);
      return o;
    }
    case TIME:
    case TIME_WIDE:
    case DATE: {
      if (quoted) store<u8>(o++, 0x22);
      if (kind == DATE) o = putDate(o, load<i32>(data + (row << 2)));
      else o = putTimestamp(o, kind == TIME ? <i64>load<f64>(data + (row << 3)) : load<i64>(data + (row << 3)));
      if (quoted) store<u8>(o++, 0x22);
      return o;
    }
    case BOOL: {
      if (load<u8>(data + row)) {
        store<u32>(o, 0x65757274);
        return o + 4;
      }
      store<u32>(o, 0x736c6166);
      store<u8>(o, 0x65, 4);
      return o + 5;
    }
    case BYTES: {
      if (quoted) store<u8>(o++, 0x22);
      o = putBase64(o, load<u32>(data + (row << 3)), load<u32>(data + (row << 3) + 4));
      if (quoted) store<u8>(o++, 0x22);
      return o;
    }
    case RAW: return putRaw(o, load<u32>(data + (row << 3)), load<u32>(data + (row << 3) + 4));
    case CODES:
    case CSV_CODES: {
      const e = load<usize>(s, 20) + (<usize>load<u32>(data + (row << 2)) << 3);
      return kind == CODES ? putString(o, load<u32>(e), load<u32>(e, 4)) : putField(o, load<u32>(e), load<u32>(e, 4));
    }
    case CSV_TEXT: return putField(o, load<u32>(data + (row << 3)), load<u32>(data + (row << 3) + 4));
    case CHANGE: {
      const change = data ? <u32>load<u8>(data + row) : 0;
      if (quoted) store<u8>(o++, 0x22);
      store<u8>(o, change == 0 || change == 2 ? 43 : 45);
      store<u8>(o, change == 0 ? 73 : change == 3 ? 68 : 85, 1);
      o += 2;
      if (quoted) store<u8>(o++, 0x22);
      return o;
    }
    default: return o;
  }
}

/**
 * Writes rows [from, to) at `out`, not beyond `outEnd`; the end of row i goes to rowEnds[i], counted from `base`. Returns
 * the first row that had no room, or `to`. `encodeEnd` is the end of the last whole row.
 */
export let encodeEnd: usize = 0;
export function encodeRows(program: usize, from: u32, to: u32, out: usize, outEnd: usize, rowEnds: usize, base: usize): u32 {
  end = outEnd;
  full = false;
  encodeEnd = out;
  for (let row = from; row < to; row++) {
    let s = program;
    while (true) {
      const length = load<u32>(s, 4);
      if (out + length + 192 > outEnd) {
        full = true;
        break;
      }
      copyOver(out, load<usize>(s), length);
      out += length;
      const kind = load<i32>(s, 8);
      if (kind == END) break;
      const validity = load<usize>(s, 16);
      if (validity && !load<u8>(validity + row)) {
        copyOver(out, nullText, nullLength);
        out += nullLength;
        s += STEP * (load<u32>(s, 24) + 1);
        continue;
      }
      const at = load<usize>(s, 12) + (<usize>row << 3);
      if (kind == F64) {
        const x = load<f64>(at);
        out = x - x == 0 ? putDouble(out, x) : putSpecial(out, x, load<u32>(s, 28) != 0);
      } else if (kind == I64) {
        out = putInt(out, <i64>load<f64>(at));
      } else if (kind == STRING) {
        out = putString(out, load<u32>(at), load<u32>(at, 4));
        if (full) break;
      } else {
        out = putRare(out, kind, s, row, load<u32>(s, 28) != 0);
        if (full) break;
      }
      s += STEP;
    }
    if (full) return row;
    store<u32>(rowEnds + (<usize>row << 2), <u32>(out - base));
    encodeEnd = out;
  }
  return to;
}
