/** The first `length` code points. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text
  let at = 0
  for (let i = 0; i < length && at < text.length; i++) at += text.codePointAt(at)! > 0xffff ? 2 : 1
  return text.slice(0, at)
}
