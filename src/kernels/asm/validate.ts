import { scanNumber } from "./number";
import { VECTORS } from "./tables";
import { hex4, isUtf8 } from "./text";

// @ts-ignore: decorator
@inline function skipBlanks(p: usize): usize {
  let c = load<u8>(p);
  while (c == 32 || c == 10 || c == 13 || c == 9) c = load<u8>(++p);
  return p;
}

/** Behind the closing quote of the JSON string whose first byte is at p; 0 when it is not one that ends before end. */
function stringEnd(p: usize, end: usize): usize {
  const quote = v128.load(VECTORS), backslash = v128.load(VECTORS + 16), space = v128.load(VECTORS + 64);
  const from = p;
  let high: u32 = 0;
  while (p < end) {
    const v = v128.load(p);
    const m = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.lt_u(v, space)));
    high |= i8x16.bitmask(v);
    if (!m) {
      p += 16;
      continue;
    }
    p += ctz(m);
    if (p >= end) return 0;
    const c = load<u8>(p);
    if (c == 0x22) return !high || isUtf8(from, p - from) ? p + 1 : 0;
    if (c != 0x5c) return 0;
    switch (load<u8>(p, 1)) {
      case 0x22: case 0x5c: case 0x2f: case 0x62: case 0x66: case 0x6e: case 0x72: case 0x74: {
        p += 2;
        break;
      }
      case 0x75: {
        if (hex4(p + 2) < 0) return 0;
        p += 6;
        break;
      }
      default: return 0;
    }
  }
  return 0;
}

/**
 * Behind the JSON value that begins at p (blanks before it are skipped), checked in full; 0 when there is none within
 * end, or when it nests deeper than 64.
 */
export function valueEnd(p: usize, end: usize): usize {
  let stack: u64 = 0, depth = 0; // bit per open bracket: 1 = object
  while (true) {
    p = skipBlanks(p);
    if (p >= end) return 0;
    const c = load<u8>(p);
    if (c == 0x22) {
      p = stringEnd(p + 1, end);
    } else if (c == 0x7b || c == 0x5b) {
      if (depth == 64) return 0;
      depth++;
      const object = c == 0x7b;
      stack = (stack << 1) | <u64>object;
      p = skipBlanks(p + 1);
      if (load<u8>(p) == (object ? 0x7d : 0x5d)) {
        p++;
        stack >>= 1;
        depth--;
      } else {
        if (object) p = keyEnd(p, end);
        if (!p) return 0;
        continue;
      }
    } else if (c == 0x74 && load<u32>(p) == 0x65757274) p += 4;
    else if (c == 0x6e && load<u32>(p) == 0x6c6c756e) p += 4;
    else if (c == 0x66 && load<u32>(p, 1) == 0x65736c61) p += 5;
    else p = scanNumber(p);
    if (!p) return 0;
    // behind a value: close brackets, or go on to the next one
    while (depth) {
      p = skipBlanks(p);
      if (p >= end) return 0;
      const d = load<u8>(p);
      const object = <bool>(stack & 1);
      if (d == (object ? 0x7d : 0x5d)) {
        p++;
        stack >>= 1;
        depth--;
        continue;
      }
      if (d != 0x2c) return 0;
      p++;
      if (object) {
        p = keyEnd(skipBlanks(p), end);
        if (!p) return 0;
      }
      break;
    }
    if (!depth) return p <= end ? p : 0;
  }
  return 0;
}

/** Behind the colon of the key at p, or 0. */
function keyEnd(p: usize, end: usize): usize {
  if (load<u8>(p) != 0x22) return 0;
  p = stringEnd(p + 1, end);
  if (!p) return 0;
  p = skipBlanks(p);
  return p < end && load<u8>(p) == 0x3a ? p + 1 : 0;
}

/** True when the record is one JSON value and blanks. */
export function isJson(p: usize, end: usize): bool {
  p = valueEnd(p, end);
  return p != 0 && skipBlanksTo(p, end) == end;
}

function skipBlanksTo(p: usize, end: usize): usize {
  while (p < end) {
    const c = load<u8>(p);
    if (c != 32 && c != 10 && c != 13 && c != 9) break;
    p++;
  }
  return p;
}
