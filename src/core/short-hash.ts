/** FNV-1a, 32 bits, as 8 hexadecimal digits. */
export function shortHash(text: string): string {
  let state = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    state ^= text.charCodeAt(i)
    state = Math.imul(state, 0x01000193)
  }
  return (state >>> 0).toString(16).padStart(8, '0')
}
