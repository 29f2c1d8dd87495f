import { connect, type Socket } from 'node:net'

/** Connections that read events; they count, and look no closer. */
export class LiveLoad {
  readonly #sockets: Socket[] = []
  #events = 0
  #waiting: { readonly at: number; readonly resolve: () => void } | undefined

  /** Resolves when every reader has got its first event. */
  async open(url: string, path: string, readers: number): Promise<void> {
    const { hostname, port } = new URL(url)
    const ready = this.until(this.#events + readers)
    for (let i = 0; i < readers; i++) {
      const socket = connect(Number(port), hostname)
      socket.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\naccept: text/event-stream\r\n\r\n`)
      socket.on('data', (chunk) => this.#count(chunk))
      socket.on('error', () => undefined)
      this.#sockets.push(socket)
    }
    await ready
  }

  get events(): number {
    return this.#events
  }

  /** Resolves when so many events have come in all. */
  until(at: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting = { at, resolve }
    this.#tell()
    return promise
  }

  #count(chunk: Buffer): void {
    for (let at = chunk.indexOf('event: '); at >= 0; at = chunk.indexOf('event: ', at + 7)) this.#events++
    this.#tell()
  }

  #tell(): void {
    if (this.#waiting !== undefined && this.#events >= this.#waiting.at) this.#waiting.resolve()
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
