import { once } from 'node:events'
import type { FastifyReply } from 'fastify'
import { refusal } from '../http/problem.ts'
import type { ResultWriter } from './streamed.ts'

/** Results that wait for a caller who sends before it reads; above it, it must read first. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024

/** A streamed answer; its status is sent with its first line. */
export class NdjsonAnswer implements ResultWriter {
  readonly #reply: FastifyReply
  readonly #signal: AbortSignal
  started = false

  /** `signal`: the caller has gone, or reads nothing for too long. */
  constructor(reply: FastifyReply, signal: AbortSignal) {
    this.#reply = reply
    this.#signal = signal
  }

  async write(text: string): Promise<void> {
    const { raw } = this.#reply
    if (this.#signal.aborted || raw.destroyed) throw refusal('bad_request', 'the caller has gone')
    if (!this.started) this.#start()
    if (raw.write(text) || raw.writableLength < WAITING_BYTES_MAX) return
    await once(raw, 'drain', { signal: this.#signal })
  }

  /** The last line. */
  end(text: string): void {
    if (!this.started) this.#start()
    this.#reply.raw.end(text)
  }

  #start(): void {
    this.started = true
    const reply = this.#reply
    reply.hijack()
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'application/x-ndjson',
    })
  }
}
