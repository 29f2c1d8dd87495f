import type { Socket } from 'node:net'
import { problemOf, problemText, refusal } from './problem.ts'
import { traceIdOf } from './trace.ts'

/** What cannot even be read as a request still gets a problem. */
export function answerBadRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const fault =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? refusal('headers_too_large', 'the headers are too large')
      : refusal('bad_request', 'the request cannot be read')
  const problem = problemOf(fault)
  const text = problemText(problem, { instance: '', traceId: traceIdOf(undefined), wrote: false })
  const reason = problem.status === 431 ? 'Request Header Fields Too Large' : 'Bad Request'
  socket.end(
    `HTTP/1.1 ${problem.status} ${reason}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
  )
}
