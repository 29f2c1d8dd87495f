import { VECTORS } from "./tables";

export let linesNext: usize = 0;

/**
 * Index of the lines of [p, limit): start and end of line i go to starts[i] and ends[i]; the line feed and a carriage
 * return before it are left out, lines of blanks are skipped. Stops at `most` lines. Returns their number;
 * `linesNext` is where the first line that is not in the index begins. [limit, limit + 64) is read.
 */
export function indexLines(p: usize, limit: usize, starts: usize, ends: usize, most: u32): u32 {
  const newline = v128.load(VECTORS + 32);
  let count: u32 = 0, start = p;
  while (p < limit) {
    let m = <u64><u32>i8x16.bitmask(i8x16.eq(v128.load(p), newline))
      | (<u64><u32>i8x16.bitmask(i8x16.eq(v128.load(p, 16), newline)) << 16)
      | (<u64><u32>i8x16.bitmask(i8x16.eq(v128.load(p, 32), newline)) << 32)
      | (<u64><u32>i8x16.bitmask(i8x16.eq(v128.load(p, 48), newline)) << 48);
    while (m) {
      const at = p + <usize>ctz(m);
      if (at >= limit) break;
      m &= m - 1;
      let end = at;
      if (end > start && load<u8>(end - 1) == 13) end--;
      if ((end > start && load<u8>(start) > 32) || !blank(start, end)) {
        if (count == most) {
          linesNext = start;
          return count;
        }
        store<u32>(starts + (<usize>count << 2), <u32>start);
        store<u32>(ends + (<usize>count << 2), <u32>end);
        count++;
      }
      start = at + 1;
    }
    p += 64;
  }
  linesNext = start;
  return count;
}

function blank(p: usize, end: usize): bool {
  while (p < end) {
    const c = load<u8>(p);
    if (c != 32 && c != 9 && c != 13) return false;
    p++;
  }
  return true;
}
