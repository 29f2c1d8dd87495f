// Reads a record key by key, for shapes without a template. It takes only what is plain: whole, well-formed records whose
// keys have no escapes and where no column's key repeats; all else is left to the host.
import { endsValue, rareValue, skipValue, slowNumber, slowString, STRING, TIME, time } from "./json-values";
import { MASK } from "./tables";

// Node: +0 number of keys +4 first key's entry. Entry, 32 bytes: +0 key +4 its length +8 step of the column, or 0
// +12 node below, or 0 +16 validity of the struct that the node below is, or 0 +20 bit in the set of seen keys (0 … 63)
const ENTRY: usize = 32;

let seen: u64 = 0;

// @ts-ignore: decorator
@inline function skipBlanks(p: usize): usize {
  let c = load<u8>(p);
  while (c == 32 || c == 10 || c == 13 || c == 9) c = load<u8>(++p);
  return p;
}

function sameKey(a: usize, b: usize, n: u32): bool {
  let i: usize = 0;
  for (; i + 16 <= <usize>n; i += 16) if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  const rest = v128.load(MASK + 16 - (<usize>n - i));
  return !v128.any_true(v128.and(v128.xor(v128.load(a + i), v128.load(b + i)), rest));
}

/** Reads the record at p into `row`; returns the position behind it, or 0. All validity bytes of the row are 0 before. */
export function walkRecord(root: usize, row: u32, p: usize, end: usize): usize {
  seen = 0;
  p = skipBlanks(p);
  return load<u8>(p) == 0x7b ? walkObject(root, row, p + 1, end) : 0;
}

function walkObject(node: usize, row: u32, p: usize, end: usize): usize {
  const count = load<u32>(node), entries = load<usize>(node, 4);
  let next: u32 = 0;
  p = skipBlanks(p);
  if (load<u8>(p) == 0x7d) return p + 1;
  while (p < end) {
    if (load<u8>(p) != 0x22) return 0;
    const key = ++p;
    let c = load<u8>(p);
    while (c != 0x22) {
      if (c == 0x5c || c < 32) return 0;
      c = load<u8>(++p);
    }
    const length = <u32>(p - key);
    p = skipBlanks(p + 1);
    if (load<u8>(p) != 0x3a) return 0;
    p = skipBlanks(p + 1);
    if (p >= end) return 0;
    let entry: usize = 0;
    for (let i: u32 = 0; i < count; i++) { // keys mostly come in one order: look on from the last one found
      const e = entries + <usize>next * ENTRY;
      if (++next == count) next = 0;
      if (load<u32>(e, 4) == length && sameKey(load<u32>(e), key, length)) {
        entry = e;
        break;
      }
    }
    p = entry ? walkValue(entry, row, p, end) : skipValue(p, end);
    if (!p) return 0;
    p = skipBlanks(p);
    if (p >= end) return 0;
    c = load<u8>(p);
    if (c == 0x7d) return p + 1;
    if (c != 0x2c) return 0;
    p = skipBlanks(p + 1);
  }
  return 0;
}

function walkValue(entry: usize, row: u32, p: usize, end: usize): usize {
  const bit = <u64>1 << <u64>load<u32>(entry, 20);
  if (seen & bit) return 0;
  seen |= bit;
  const step = load<usize>(entry, 8), below = load<usize>(entry, 12);
  if (step) {
    if (below) return 0;
    const kind = load<i32>(step);
    if (kind == STRING) return slowString(step, row, p, end);
    if (kind == TIME) return time(step, row, p);
    return kind < TIME ? slowNumber(step, row, p) : rareValue(kind, step, row, p, end);
  }
  const present = load<usize>(entry, 16);
  if (load<u8>(p) == 0x7b) {
    if (present) store<u8>(present + row, 1);
    return walkObject(below, row, p + 1, end);
  }
  if (present && (load<u32>(p) != 0x6c6c756e || !endsValue(load<u8>(p, 4)))) return 0;
  return skipValue(p, end);
}
