// Template-speculating scanner of JSON records. A template is data: for each step the verbatim bytes between two values
// (compared 32 at a time) and what to do with the value behind them. See json-template.ts for who writes them.
import { data8, END, endsValue, F64, hostCalls, I64, LAST, LITERAL, rareValue, resetHostCalls, setSide, side, SKIP, SKIP_OTHER, skipValue, slowNumber, slowString, STEP, STRING, TIME, time, valid } from "./json-values";
import { walkRecord } from "./json-walk";
import { digitMask, digitsN } from "./number";
import { POW10_F64, VECTORS } from "./tables";
import { endOfString, isUtf8 } from "./text";
import { isJson } from "./validate";

/**
 * Scans the records idx … count − 1 of ctx into rows. Words of ctx: +0 starts +4 ends +8 idx (in, out) +12 count
 * +16 row (in, out) +20 template table +24 templates +28 hits per template +32 record index per row +36 side region
 * (in, out) +40 strict +44 values that the host converted (in, out) +48 records without template to read key by key
 * before the host is asked for one (in, out) +52 root node +56 validities of required columns +60 their number
 * +64 records read key by key (in, out) +68 validities of all columns +72 their number.
 * Returns 0 at the end, 1 when no template fits record idx, 2 when the record needs the host.
 */
export function scanJson(ctx: usize): i32 {
  const quote = v128.load(VECTORS), backslash = v128.load(VECTORS + 16), nine = v128.load(VECTORS + 96);
  const zero = v128.load(VECTORS + 48), control = v128.load(VECTORS + 80);
  const starts = load<usize>(ctx), ends = load<usize>(ctx, 4), count = load<u32>(ctx, 12);
  const table = load<usize>(ctx, 20), templates = load<u32>(ctx, 24), hits = load<usize>(ctx, 28);
  const rowRecord = load<usize>(ctx, 32), strict = load<u32>(ctx, 40);
  let idx = load<u32>(ctx, 8), row = load<u32>(ctx, 16), status = 0;
  let walks = load<u32>(ctx, 48);
  setSide(load<usize>(ctx, 36));
  resetHostCalls();
  const first = load<usize>(table);
  while (idx < count) {
    const record = load<u32>(starts + (<usize>idx << 2)), end = load<u32>(ends + (<usize>idx << 2));
    store<u32>(rowRecord + (<usize>row << 2), idx);
    const sideAtStart = side;
    let bad = 0, ti: u32 = 0, s = first, p: usize = record;
    let last: usize = end; // behind the last byte that is not blank
    while (last > record && load<u8>(last - 1) <= 32) last--;
    if (load<u8>(last - 1) != 0x7d || (strict && !isJson(record, end))) bad = 2;
    else if (!templates) bad = 1;
    else while (true) {
      const kind = load<i32>(s);
      if (kind == END) break;
      const length = load<u32>(s, 4);
      let diff = v128.and(v128.xor(v128.load(p), v128.load(s, 32)), v128.load(s, 64));
      if (length > 16) diff = v128.or(diff, v128.and(v128.xor(v128.load(p, 16), v128.load(s, 48)), v128.load(s, 80)));
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
            const m = digitMask(p, zero, nine);
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
            const n = <u32>ctz(~digitMask(p, zero, nine));
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
            const n = <u32>ctz(~digitMask(p, zero, nine));
            if (n - 1 > 14 || (n > 1 && load<u8>(p) == 48) || !endsValue(load<u8>(p + n)) || load<i32>(s, 28)) {
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
              m = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.le_u(v, control)));
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
            if (n > load<u32>(s, 28) || (high && !isUtf8(from, n))) {
              bad = 2;
              break;
            }
            const o = data8(s, row);
            store<u32>(o, <u32>from);
            store<u32>(o, n, 4);
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
        setSide(sideAtStart);
        bad = 0;
        continue;
      }
      break;
    }
    // a string ran over the record's end, or its last bracket closes a value
    if (!bad && (p > last || (p == last && load<i32>(s) == END))) bad = 2;
    if (bad) {
      setSide(sideAtStart);
      if (bad == 1 && walks) {
        walks--;
        if (walkRow(ctx, row, record, last)) {
          store<u32>(ctx, load<u32>(ctx, 64) + 1, 64);
          row++;
          idx++;
          continue;
        }
        setSide(sideAtStart);
        bad = 2;
      }
      status = bad;
      break;
    }
    store<u32>(hits + (<usize>ti << 2), load<u32>(hits + (<usize>ti << 2)) + 1);
    row++;
    idx++;
  }
  store<u32>(ctx, idx, 8);
  store<u32>(ctx, row, 16);
  store<usize>(ctx, side, 36);
  store<u32>(ctx, walks, 48);
  store<u32>(ctx, load<u32>(ctx, 44) + hostCalls, 44);
  return status;
}

/** Reads a record key by key, anew in every column; false: only the host can. */
function walkRow(ctx: usize, row: u32, record: usize, last: usize): bool {
  const validities = load<usize>(ctx, 68), all = load<u32>(ctx, 72);
  for (let i: usize = 0; i < <usize>all; i++) store<u8>(load<usize>(validities + (i << 2)) + row, 0);
  if (walkRecord(load<usize>(ctx, 52), row, record, last) != last) return false;
  const required = load<usize>(ctx, 56), count = load<u32>(ctx, 60);
  for (let i: usize = 0; i < <usize>count; i++) if (!load<u8>(load<usize>(required + (i << 2)) + row)) return false;
  return true;
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
