// CRC-32C (Castagnoli), slicing by 8 in three interleaved lanes.
import { CRC } from "./tables";

const BLOCK: usize = 1024;

export function initCrc(): void {
  for (let i: u32 = 0; i < 256; i++) {
    let c = i;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >> 1) ^ 0x82f63b78 : c >> 1;
    store<u32>(CRC + (<usize>i << 2), c);
  }
  for (let i: usize = 0; i < 256; i++) {
    for (let k: usize = 1; k < 8; k++) {
      const previous = load<u32>(CRC + ((k - 1) << 10) + (i << 2));
      store<u32>(CRC + (k << 10) + (i << 2), (previous >> 8) ^ load<u32>(CRC + (<usize>(previous & 255) << 2)));
    }
  }
  for (let k: u32 = 0; k < 4; k++) {
    for (let i: u32 = 0; i < 256; i++) {
      let c: u32 = i << (8 * k);
      for (let z: usize = 0; z < BLOCK; z++) c = (c >> 8) ^ load<u32>(CRC + (<usize>(c & 255) << 2));
      store<u32>(CRC + 8192 + (<usize>k << 10) + (<usize>i << 2), c);
    }
  }
}

// @ts-ignore: decorator
@inline function at(k: usize, byte: u64): u32 {
  return load<u32>(CRC + (k << 10) + (<usize>(byte & 255) << 2));
}

// @ts-ignore: decorator
@inline function step(c: u32, p: usize): u32 {
  const v = load<u64>(p) ^ <u64>c;
  return at(7, v) ^ at(6, v >> 8) ^ at(5, v >> 16) ^ at(4, v >> 24) ^ at(3, v >> 32) ^ at(2, v >> 40) ^ at(1, v >> 48) ^ at(0, v >> 56);
}

// @ts-ignore: decorator
@inline function shift(c: u32): u32 {
  return at(8, c) ^ at(9, c >> 8) ^ at(10, c >> 16) ^ at(11, c >> 24);
}

/** The CRC of `seed`'s bytes followed by [p, p + n); seed 0 begins. */
export function crc32c(p: usize, n: usize, seed: u32): u32 {
  let c: u32 = ~seed;
  const end = p + n;
  while (p + 3 * BLOCK <= end) {
    let a = c, b: u32 = 0, d: u32 = 0;
    for (let i: usize = 0; i < BLOCK; i += 8) {
      a = step(a, p + i);
      b = step(b, p + BLOCK + i);
      d = step(d, p + 2 * BLOCK + i);
    }
    c = shift(shift(a) ^ b) ^ d;
    p += 3 * BLOCK;
  }
  for (; p + 8 <= end; p += 8) c = step(c, p);
  for (; p < end; p++) c = (c >> 8) ^ at(0, <u64>(c ^ <u32>load<u8>(p)));
  return ~c;
}
