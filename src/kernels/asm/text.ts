import { HEX, VECTORS } from "./tables";

/** Position of the closing quote, escapes skipped; p is behind the opening one. Ends at the sentinel at the latest. */
// @ts-ignore: decorator
@inline export function endOfString(p: usize, quote: v128, backslash: v128): usize {
  while (true) {
    const v = v128.load(p);
    const m = i8x16.bitmask(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)));
    if (m) {
      p += ctz(m);
      if (load<u8>(p) == 0x22) return p;
      p += 2;
      continue;
    }
    p += 16;
  }
}

/** Behind the bracket that closes the one at p (kinds of brackets are not compared); 0 when there is none before end. */
export function endOfNested(p: usize, end: usize): usize {
  const quote = v128.load(VECTORS), backslash = v128.load(VECTORS + 16), space = v128.load(VECTORS + 64);
  let depth: i32 = 0;
  while (p < end) {
    const v = v128.load(p);
    const folded = v128.or(v, space); // '[' as '{', ']' as '}': they differ in one bit
    let m = <u32>i8x16.bitmask(v128.or(
      i8x16.eq(v, quote),
      v128.or(i8x16.eq(folded, i8x16.splat(0x7b)), i8x16.eq(folded, i8x16.splat(0x7d))),
    ));
    let next = p + 16;
    while (m) {
      const at = p + <usize>ctz(m);
      if (at >= end) return 0;
      const c = load<u8>(at);
      if (c == 0x22) {
        next = endOfString(at + 1, quote, backslash) + 1;
        break;
      }
      if ((c | 32) == 0x7b) depth++;
      else if (--depth == 0) return at + 1;
      m &= m - 1;
    }
    p = next;
  }
  return 0;
}

/** True when [p, p + n) is valid UTF-8 (no surrogates, no overlong forms). */
export function isUtf8(p: usize, n: usize): bool {
  const end = p + n;
  while (p < end) {
    if (p + 8 <= end && !(load<u64>(p) & 0x8080808080808080)) {
      p += 8;
      continue;
    }
    const c = <u32>load<u8>(p);
    if (c < 0x80) {
      p++;
      continue;
    }
    if (c < 0xc2) return false;
    const c1 = <u32>load<u8>(p, 1);
    if (c < 0xe0) {
      if (p + 2 > end || (c1 & 0xc0) != 0x80) return false;
      p += 2;
    } else if (c < 0xf0) {
      if (p + 3 > end || (c1 & 0xc0) != 0x80 || (load<u8>(p, 2) & 0xc0) != 0x80) return false;
      if ((c == 0xe0 && c1 < 0xa0) || (c == 0xed && c1 >= 0xa0)) return false;
      p += 3;
    } else {
      if (c > 0xf4 || p + 4 > end || (c1 & 0xc0) != 0x80) return false;
      if ((load<u16>(p, 2) & 0xc0c0) != 0x8080) return false;
      if ((c == 0xf0 && c1 < 0x90) || (c == 0xf4 && c1 >= 0x90)) return false;
      p += 4;
    }
  }
  return true;
}

/** Four hexadecimal digits at p, or −1. */
// @ts-ignore: decorator
@inline export function hex4(p: usize): i32 {
  const a = <u32>load<u8>(HEX + <usize>load<u8>(p)), b = <u32>load<u8>(HEX + <usize>load<u8>(p, 1));
  const c = <u32>load<u8>(HEX + <usize>load<u8>(p, 2)), d = <u32>load<u8>(HEX + <usize>load<u8>(p, 3));
  if ((a | b | c | d) > 15) return -1;
  return <i32>((a << 12) | (b << 8) | (c << 4) | d);
}

/** Writes a code point as UTF-8 at o; returns the end. */
function putCodePoint(o: usize, c: u32): usize {
  if (c < 0x80) {
    store<u8>(o, <u8>c);
    return o + 1;
  }
  if (c < 0x800) {
    store<u8>(o, <u8>(0xc0 | (c >> 6)));
    store<u8>(o, <u8>(0x80 | (c & 63)), 1);
    return o + 2;
  }
  if (c < 0x10000) {
    store<u8>(o, <u8>(0xe0 | (c >> 12)));
    store<u8>(o, <u8>(0x80 | ((c >> 6) & 63)), 1);
    store<u8>(o, <u8>(0x80 | (c & 63)), 2);
    return o + 3;
  }
  store<u8>(o, <u8>(0xf0 | (c >> 18)));
  store<u8>(o, <u8>(0x80 | ((c >> 12) & 63)), 1);
  store<u8>(o, <u8>(0x80 | ((c >> 6) & 63)), 2);
  store<u8>(o, <u8>(0x80 | (c & 63)), 3);
  return o + 4;
}

/** What the letter behind a backslash stands for; 0: no such escape (`u` is not asked). */
// @ts-ignore: decorator
@inline function simpleEscape(c: u32): u32 {
  switch (c) {
    case 0x22: case 0x5c: case 0x2f: return c;
    case 0x62: return 8;
    case 0x66: return 12;
    case 0x6e: return 10;
    case 0x72: return 13;
    case 0x74: return 9;
    default: return 0;
  }
}

export let unescapedEnd: usize = 0;

/**
 * Unescapes the JSON string behind whose opening quote p stands to `out`; the end of the text goes to `unescapedEnd`.
 * Returns the position of the closing quote, 0 when it is not a string. Lone surrogates become U+FFFD.
 */
export function unescape(p: usize, end: usize, out: usize): usize {
  const quote = v128.load(VECTORS), backslash = v128.load(VECTORS + 16), space = v128.load(VECTORS + 64);
  let high: u32 = 0;
  const from = out;
  while (p < end) {
    const v = v128.load(p);
    const m = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, quote), i8x16.eq(v, backslash)), i8x16.lt_u(v, space)));
    v128.store(out, v);
    high |= i8x16.bitmask(v);
    if (!m) {
      p += 16;
      out += 16;
      continue;
    }
    const n = ctz(m);
    p += n;
    out += n;
    const c = <u32>load<u8>(p);
    if (c == 0x22) {
      if (p >= end) return 0;
      unescapedEnd = out;
      return !high || isUtf8(from, out - from) ? p : 0;
    }
    if (c != 0x5c) return 0;
    const e = <u32>load<u8>(p, 1);
    if (e != 0x75) {
      const s = simpleEscape(e);
      if (!s) return 0;
      store<u8>(out++, <u8>s);
      p += 2;
      continue;
    }
    let code = hex4(p + 2);
    if (code < 0) return 0;
    p += 6;
    if ((code & 0xf800) == 0xd800) {
      if (code < 0xdc00 && load<u16>(p) == 0x755c) {
        const second = hex4(p + 2);
        if ((second & ~0x3ff) == 0xdc00) {
          code = 0x10000 + ((code & 0x3ff) << 10) + (second & 0x3ff);
          p += 6;
        } else code = 0xfffd;
      } else code = 0xfffd;
    }
    out = putCodePoint(out, <u32>code);
  }
  return 0;
}

/** Copies n bytes in steps of 16; may write up to 15 bytes more. */
// @ts-ignore: decorator
@inline export function copyOver(to: usize, from: usize, n: usize): void {
  v128.store(to, v128.load(from));
  for (let i: usize = 16; i < n; i += 16) v128.store(to + i, v128.load(from + i));
}
