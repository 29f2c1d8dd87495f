import { digitMask, digits8, digitsN } from "./number";
import { POW10_U64, VECTORS } from "./tables";

// @ts-ignore: decorator
@inline function two(p: usize): i32 {
  return (<i32>load<u8>(p) - 48) * 10 + <i32>load<u8>(p, 1) - 48;
}

/** Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Hinnant's days_from_civil, year ≥ 0). */
function daysOf(year: i32, month: i32, day: i32): i32 {
  const y = month <= 2 ? year - 1 : year;
  const era = (y >= 0 ? y : y - 399) / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719468;
}

function daysInMonth(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

export let isoDays: i32 = 0;
export let isoMicros: i64 = 0;

// The last `YYYY-MM-DDTHH:MM` seen and its microseconds: neighbouring rows mostly share the minute.
let memo: v128 = i64x2(0x2d31302d30373931, 0x30303a3030543130);
let memoMicros: i64 = 0;

/** `YYYY-MM-DD` at p, year 1 … 9999; days go to `isoDays`. */
export function parseDate(p: usize): bool {
  const m = digitMask(p, v128.load(VECTORS + 48), v128.load(VECTORS + 96));
  if ((m & 0x36f) != 0x36f || load<u8>(p, 4) != 45 || load<u8>(p, 7) != 45) return false;
  const year = <i32>digits8(load<u64>(p) << 32), month = two(p + 5), day = two(p + 8);
  if (year == 0 || month == 0 || month > 12 || day == 0 || day > daysInMonth(year, month)) return false;
  isoDays = daysOf(year, month, day);
  return true;
}

function parseMinute(p: usize): bool {
  const m = digitMask(p, v128.load(VECTORS + 48), v128.load(VECTORS + 96));
  if ((m & 0xdb6f) != 0xdb6f || load<u8>(p, 13) != 58) return false;
  if (!parseDate(p)) return false;
  const hour = two(p + 11), minute = two(p + 14);
  if (hour > 23 || minute > 59) return false;
  memo = v128.load(p);
  memoMicros = (<i64>isoDays * 1440 + <i64>(hour * 60 + minute)) * 60000000;
  return true;
}

/**
 * ISO 8601 at p: date, or date, `T` or blank, time to the minute or second, 1–9 fraction digits (rounded half up to
 * microseconds), offset `Z`, `±hh`, `±hhmm`, `±hh:mm` or none (UTC). Returns the end, 0 when there is none. The
 * microseconds go to `isoMicros`. Never reads beyond 48 bytes.
 */
export function parseIso(p: usize): usize {
  if (v128.any_true(v128.xor(v128.load(p), memo))) {
    const c = load<u8>(p, 10);
    if (c != 0x54 && c != 32) {
      if (!parseDate(p)) return 0;
      isoMicros = <i64>isoDays * 86400000000;
      return p + 10;
    }
    if (!parseMinute(p)) return 0;
  }
  let t = memoMicros;
  p += 16;
  if (load<u8>(p) == 58) {
    const tens = <u32>load<u8>(p, 1) - 48, ones = <u32>load<u8>(p, 2) - 48;
    if (tens > 5 || ones > 9) return 0;
    t += <i64>(tens * 10 + ones) * 1000000;
    p += 3;
    if (load<u8>(p) == 46) {
      const n = <u32>ctz(~digitMask(p + 1, v128.load(VECTORS + 48), v128.load(VECTORS + 96)));
      if (n - 1 > 8) return 0;
      const f = digitsN(p + 1, n);
      if (n <= 6) t += <i64>(f * load<u64>(POW10_U64 + (<usize>(6 - n) << 3)));
      else t += <i64>((f + 5 * load<u64>(POW10_U64 + (<usize>(n - 7) << 3))) / load<u64>(POW10_U64 + (<usize>(n - 6) << 3)));
      p += n + 1;
    }
  }
  const c = load<u8>(p);
  if (c == 0x5a) p++;
  else if (c == 43 || c == 45) {
    const digits = digitMask(p + 1, v128.load(VECTORS + 48), v128.load(VECTORS + 96));
    if ((digits & 3) != 3) return 0;
    const hours = two(p + 1);
    let minutes = 0;
    p += 3;
    if (load<u8>(p) == 58) {
      if ((digits & 0x18) != 0x18) return 0;
      minutes = two(p + 1);
      p += 3;
    } else if (digits & 4) {
      if ((digits & 0xc) != 0xc) return 0;
      minutes = two(p);
      p += 2;
    }
    if (hours > 23 || minutes > 59) return 0;
    const offset = <i64>(hours * 60 + minutes) * 60000000;
    t = c == 43 ? t - offset : t + offset;
  }
  isoMicros = t;
  return p;
}

export let unitFits: bool = false;

/** An integer time in microseconds. unit: 0 by size, 1 s, 2 ms, 3 µs, 4 ns (rounded half up). */
export function microsOf(v: i64, unit: i32): i64 {
  const a = v < 0 ? -v : v;
  if (unit == 0) unit = a < 0 ? 4 : a < 100000000000 ? 1 : a < 100000000000000 ? 2 : a < 100000000000000000 ? 3 : 4;
  unitFits = true;
  if (unit == 3) return v;
  if (unit == 4) {
    const q = v / 1000, r = v % 1000;
    return q + <i64>(r >= 500) - <i64>(r < -500);
  }
  const factor: i64 = unit == 1 ? 1000000 : 1000;
  if (a < 0 || a > 9223372036854775807 / factor) {
    unitFits = false;
    return 0;
  }
  return v * factor;
}
