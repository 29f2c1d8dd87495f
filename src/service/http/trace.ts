const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/
const NONE = '0'.repeat(32)

/** The header as it is kept on frames; undefined when it has no valid form. */
export const traceparentOf = (header: string | readonly string[] | undefined): string | undefined =>
  typeof header === 'string' && TRACEPARENT.test(header) && !header.startsWith(`00-${NONE}`) ? header : undefined

/** The trace of a request, or one that is drawn: what joins an answer to its line of the log. */
export function traceIdOf(header: string | readonly string[] | undefined): string {
  const known = traceparentOf(header)
  if (known !== undefined) return known.slice(3, 35)
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
}
