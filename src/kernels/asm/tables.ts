// Tables at fixed addresses of the first page, which the worker's memory hands out to nobody. Constant addresses cost
// nothing; several instances over one memory write the same bytes.

export const MASK: usize = 1024; // 16 × ff, 16 × 00: load at MASK + 16 - n keeps the first n bytes (0 ≤ n ≤ 16)
export const POW10_F64: usize = 1088; // 10^0 … 10^22
export const PAIRS: usize = 1280; // "00" … "99"
export const POW10_U64: usize = 1536; // 10^0 … 10^19
export const HEX: usize = 1792; // value of a hexadecimal digit, ff: none
export const ESCAPE: usize = 2048; // what follows the backslash of a byte in a JSON string: 0 nothing, 'u' \u00xx
export const VECTORS: usize = 2304; // splats: quote, backslash, newline, '0', ' ', the last control character, 9
export const POW128: usize = 2560; // 128-bit mantissas of 10^q, q = -342 … 324, written by the host
export const BASE64: usize = 13312; // 64 digits
export const CRC: usize = 13440; // 8 × 256 words, then 4 × 256 words of the shift by one block
export const HASHES: usize = 25856; // one block of key hashes
export const HASH_BLOCK: u32 = 1024;
export const UNBASE64: usize = 29952; // value of a base64 digit, ff: none
export const STRUCTURE: usize = 30208; // by the low four bits of a byte: the byte that has them and is structural

export const POW128_MIN: i32 = -342;

function fill(address: usize, value: u8, n: i32): void {
  for (let i = 0; i < n; i++) store<u8>(address + i, value);
}

export function initTables(): void {
  fill(MASK, 0xff, 16);
  fill(MASK + 16, 0, 16);
  let x: f64 = 1;
  for (let i: usize = 0; i < 23; i++) {
    store<f64>(POW10_F64 + i * 8, x);
    x *= 10;
  }
  let u: u64 = 1;
  for (let i: usize = 0; i < 20; i++) {
    store<u64>(POW10_U64 + i * 8, u);
    u *= 10;
  }
  for (let i: usize = 0; i < 100; i++) {
    store<u8>(PAIRS + i * 2, <u8>(48 + i / 10));
    store<u8>(PAIRS + i * 2 + 1, <u8>(48 + (i % 10)));
  }
  fill(HEX, 0xff, 256);
  for (let i = 0; i < 10; i++) store<u8>(HEX + 48 + i, <u8>i);
  for (let i = 0; i < 6; i++) {
    store<u8>(HEX + 65 + i, <u8>(10 + i));
    store<u8>(HEX + 97 + i, <u8>(10 + i));
  }
  fill(ESCAPE, 0, 256);
  fill(ESCAPE, 0x75, 32);
  store<u8>(ESCAPE + 8, 0x62);
  store<u8>(ESCAPE + 9, 0x74);
  store<u8>(ESCAPE + 10, 0x6e);
  store<u8>(ESCAPE + 12, 0x66);
  store<u8>(ESCAPE + 13, 0x72);
  store<u8>(ESCAPE + 0x22, 0x22);
  store<u8>(ESCAPE + 0x5c, 0x5c);
  v128.store(VECTORS, i8x16.splat(0x22));
  v128.store(VECTORS + 16, i8x16.splat(0x5c));
  v128.store(VECTORS + 32, i8x16.splat(10));
  v128.store(VECTORS + 48, i8x16.splat(48));
  v128.store(VECTORS + 64, i8x16.splat(32));
  v128.store(VECTORS + 80, i8x16.splat(31));
  v128.store(VECTORS + 96, i8x16.splat(9));
  fill(UNBASE64, 0xff, 256);
  for (let i: usize = 0; i < 64; i++) {
    const c: u8 = <u8>(i < 26 ? 65 + i : i < 52 ? 71 + i : i < 62 ? i - 4 : i == 62 ? 43 : 47);
    store<u8>(BASE64 + i, c);
    store<u8>(UNBASE64 + <usize>c, <u8>i);
  }
}
