// Open-addressing table from bytes to slots 0, 1, 2 …; keys of up to 16 bytes are compared inside their entry, so a hit
// touches one cache line. Two phases per block of rows, so that the misses of phase two overlap.
import { HASH_BLOCK, HASHES, MASK } from "./tables";

// Table: +0 entries +4 mask +8 size +12 size at which it is full +16 spans (address, length per slot) +20 entry of slot
// +24 arena position +28 arena end +32 reason for stopping: 1 full, 2 arena
// Entry, 32 bytes: key[16] +16 length +20 slot + 1 (0: empty) +24 hash +28 address of the copy

// @ts-ignore: decorator
@inline function hashOf(p: usize, n: u32, head: v128): u32 {
  let h = (i64x2.extract_lane(head, 0) ^ 0x9e3779b97f4a7c15 ^ <u64>n) * 0xd6e8feb86659fd93;
  h ^= (i64x2.extract_lane(head, 1) ^ (h >> 32)) * 0xa0761d6478bd642f;
  if (n > 16) {
    for (let i: u32 = 16; i + 8 <= n; i += 8) {
      h = (h ^ load<u64>(p + i)) * 0xd6e8feb86659fd93;
      h ^= h >> 32;
    }
    h = (h ^ load<u64>(p + n - 8)) * 0xa0761d6478bd642f;
  }
  return <u32>(h ^ (h >> 32));
}

// @ts-ignore: decorator
@inline function headOf(p: usize, n: u32): v128 {
  return v128.and(v128.load(p), v128.load(n < 16 ? MASK + 16 - n : MASK));
}

/** Bytes 16 … n of two keys are equal. */
function sameTail(a: usize, b: usize, n: u32): bool {
  let i: usize = 16;
  for (; i + 16 <= <usize>n; i += 16) if (v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) return false;
  const j = <usize>n - 16;
  return !v128.any_true(v128.xor(v128.load(a + j), v128.load(b + j)));
}

/** Slots of the keys at spans[from … to); returns the row where the table or its arena was full, or `to`. */
export function keyLookup(t: usize, spans: usize, from: u32, to: u32, slots: usize): u32 {
  const entries = load<usize>(t), mask = load<u32>(t, 4);
  for (let block = from; block < to; block += HASH_BLOCK) {
    const stop = min(to, block + HASH_BLOCK);
    for (let i = block; i < stop; i++) {
      const p = <usize>load<u32>(spans + (<usize>i << 3)), n = load<u32>(spans + (<usize>i << 3) + 4);
      store<u32>(HASHES + (<usize>(i - block) << 2), hashOf(p, n, headOf(p, n)));
    }
    for (let i = block; i < stop; i++) {
      const p = <usize>load<u32>(spans + (<usize>i << 3)), n = load<u32>(spans + (<usize>i << 3) + 4);
      const head = headOf(p, n);
      const h = load<u32>(HASHES + (<usize>(i - block) << 2));
      let s = h & mask, slot: u32 = 0;
      while (true) {
        const e = entries + (<usize>s << 5);
        const next = load<u32>(e, 20);
        if (!next) {
          slot = insert(t, e, p, n, h, head);
          if (slot == 0xffffffff) return i;
          break;
        }
        if (!v128.any_true(v128.xor(head, v128.load(e))) && load<u32>(e, 16) == n) {
          if (n <= 16 || (load<u32>(e, 24) == h && sameTail(load<u32>(e, 28), p, n))) {
            slot = next - 1;
            break;
          }
        }
        s = (s + 1) & mask;
      }
      store<u32>(slots + (<usize>i << 2), slot);
    }
  }
  return to;
}

function insert(t: usize, e: usize, p: usize, n: u32, h: u32, head: v128): u32 {
  const slot = load<u32>(t, 8);
  if (slot >= load<u32>(t, 12)) {
    store<u32>(t, 1, 32);
    return 0xffffffff;
  }
  const a = load<usize>(t, 24);
  if (a + <usize>n + 24 > load<usize>(t, 28)) {
    store<u32>(t, 2, 32);
    return 0xffffffff;
  }
  v128.store(a, head);
  for (let i: usize = 16; i < <usize>n; i++) store<u8>(a + i, load<u8>(p + i));
  store<usize>(t, (a + n + 7) & ~7, 24);
  v128.store(e, head);
  store<u32>(e, n, 16);
  store<u32>(e, slot + 1, 20);
  store<u32>(e, h, 24);
  store<u32>(e, <u32>a, 28);
  const span = load<usize>(t, 16) + (<usize>slot << 3);
  store<u32>(span, <u32>a);
  store<u32>(span, n, 4);
  store<u32>(load<usize>(t, 20) + (<usize>slot << 2), <u32>e);
  store<u32>(t, slot + 1, 8);
  return slot;
}

/**
 * Moves the entries of the old array to the table's new one. Hashes stand in the entries and both arrays are walked in
 * nearly ascending order, so this runs at memory speed.
 */
export function keyRehash(t: usize, old: usize, oldCount: u32): void {
  const entries = load<usize>(t), mask = load<u32>(t, 4), entryOf = load<usize>(t, 20);
  for (let i: u32 = 0; i < oldCount; i++) {
    const e = old + (<usize>i << 5);
    const next = load<u32>(e, 20);
    if (!next) continue;
    let s = load<u32>(e, 24) & mask;
    while (load<u32>(entries + (<usize>s << 5) + 20)) s = (s + 1) & mask;
    const to = entries + (<usize>s << 5);
    v128.store(to, v128.load(e));
    v128.store(to, v128.load(e, 16), 16);
    store<u32>(entryOf + (<usize>(next - 1) << 2), <u32>to);
  }
}

/** Empties the entries of all slots; the rest is the host's. */
export function keyForget(t: usize): void {
  const entryOf = load<usize>(t, 20), size = load<u32>(t, 8);
  for (let i: u32 = 0; i < size; i++) {
    const e = <usize>load<u32>(entryOf + (<usize>i << 2));
    v128.store(e, i64x2.splat(0));
    v128.store(e, i64x2.splat(0), 16);
  }
}

export let keyCopyEnd: usize = 0;

/**
 * Copies the keys of slots `from` … one behind the other to [to, end) while they fit; returns the slot after the last
 * one, and `keyCopyEnd` is the end of what was written. Up to 15 bytes behind `end` are overwritten.
 */
export function keyCopy(t: usize, from: u32, to: usize, end: usize): u32 {
  const spans = load<usize>(t, 16), size = load<u32>(t, 8);
  let slot = from;
  for (; slot < size; slot++) {
    const span = spans + (<usize>slot << 3);
    const a = <usize>load<u32>(span), n = <usize>load<u32>(span, 4);
    if (to + n > end) break;
    for (let i: usize = 0; i < n; i += 16) v128.store(to + i, v128.load(a + i));
    to += n;
  }
  keyCopyEnd = to;
  return slot;
}

export function fillZero(p: usize, n: usize): void {
  memory.fill(p, 0, n);
}
