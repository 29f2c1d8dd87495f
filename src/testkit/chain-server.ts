import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { encodeBatch } from '../chain/encode.ts'
import { Batch, type BlockInBatch } from '../chain/types.ts'
import type { ChainModel } from './chain-model.ts'

/** What a server may do wrong with one answer or frame. */
export type ChainFault =
  /** 500, 502, 503 (with `Retry-After`) or 429. */
  | 'status'
  /** No answer at all: only a time limit ends it. */
  | 'stall'
  /** The answer, cut in its middle. */
  | 'cut'
  /** More bytes than the client takes. */
  | 'oversized'
  /** Bytes that are no JSON, or JSON that is no batch. */
  | 'garbage'
  /** The first batch is left out. */
  | 'gap'
  /** Batches that were given before, again. */
  | 'repeat'
  /** A batch with another hash than it has, or a parent it does not have. */
  | 'wrong_hash'
  /** Only the first half of the batches. */
  | 'half'
  /** No batches, though there are some. */
  | 'empty'
  /** The socket is destroyed, in the middle of a frame. */
  | 'cut_frame'

export interface ServerPlan {
  /** The fault of the next answer or frame; undefined: none. */
  next(): ChainFault | undefined
  /** 0 ≤ result < bound. */
  below(bound: number): number
  /** Called when a client waits for what never comes. */
  stalled(): void
  /** A wrong hash may be that of a batch: its reader knows the hash rule. */
  readonly liesOfBatches?: boolean
}

/** Batches of one answer. */
const PAGE = 20

/** Serves a chain over HTTP and WebSocket, and misbehaves as it is told. */
export class ChainServer implements AsyncDisposable {
  chain: ChainModel
  /** Bytes of an oversized answer. */
  oversize = 300_000
  readonly requests: string[] = []
  readonly #plan: ServerPlan
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #webSockets: WebSocketServer
  readonly #subscribers = new Map<WebSocket, { next: bigint | undefined }>()

  private constructor(chain: ChainModel, plan: ServerPlan) {
    this.chain = chain
    this.#plan = plan
    this.#server = createServer((request, response) => this.#answer(request, response))
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => undefined)
    })
    this.#webSockets = new WebSocketServer({ server: this.#server, perMessageDeflate: false })
    this.#webSockets.on('connection', (socket) => this.#subscribe(socket))
  }

  static async start(chain: ChainModel, plan: ServerPlan = noFaults): Promise<ChainServer> {
    const server = new ChainServer(chain, plan)
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /** Tells subscribers what is new. */
  push(): void {
    for (const [socket, state] of this.#subscribers) this.#pushTo(socket, state)
  }

  /** A server that goes away and comes back. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url)
    this.requests.push(`${url.pathname}${url.search}`)
    const isBatches = url.pathname.endsWith('/api/v1/batches')
    const fault = isBatches ? this.#plan.next() : undefined
    if (url.pathname.endsWith('/api/v1/health')) return void response.end('{"status":"ok"}')
    if (url.pathname.endsWith('/api/v1/metadata')) {
      return void response.end('{"name":"Model","version":"2.1","url":"http://model","supports_checkpoints":true}')
    }
    if (!isBatches) return void response.writeHead(404).end('no such path')
    const from = url.searchParams.get('from')
    const text = this.#text(from === null ? undefined : BigInt(from), fault)
    switch (fault) {
      case 'status': {
        const status = [500, 502, 503, 429][this.#plan.below(4)]!
        response.writeHead(status, status === 503 ? { 'retry-after': '2' } : {}).end('try later')
        return
      }
      case 'stall':
        this.#plan.stalled()
        return
      case 'cut':
        response.writeHead(200, { 'content-length': String(text.length) })
        response.write(text.slice(0, text.length >> 1), () => response.destroy())
        return
      case 'oversized':
        response.end(`[${' '.repeat(this.oversize)}]`)
        return
      default:
        response.end(text)
    }
  }

  #text(from: bigint | undefined, fault: ChainFault | undefined): string {
    if (fault === 'garbage') return this.#plan.below(2) === 0 ? '[{"id":' : '[{"id":{"number":"0x1"}}]'
    return `[${this.#batches(from, fault).map(encodeBatch).join(',')}]`
  }

  #batches(from: bigint | undefined, fault: ChainFault | undefined): Batch[] {
    const batches = [...this.chain.from(from, PAGE)]
    switch (fault) {
      case 'gap':
        return batches.slice(1)
      case 'half':
        return batches.slice(0, batches.length >> 1)
      case 'empty':
        return []
      case 'repeat': {
        const back = BigInt(this.#plan.below(4))
        return [...this.chain.from((from ?? 1n) > back ? (from ?? 1n) - back : 1n, 4), ...batches]
      }
      case 'wrong_hash':
        return batches.map((batch, i) => (i === batches.length >> 1 ? this.#lie(batch) : batch))
      default:
        return batches
    }
  }

  #lie(batch: Batch): Batch {
    const wrong = `0x${'ab'.repeat(32)}`
    const [first, ...rest] = batch.blocks
    const ofBatch = this.#plan.liesOfBatches === true && this.#plan.below(2) === 0
    if (first === undefined || ofBatch) return new Batch({ ...batch, id: { ...batch.id, hash: wrong } })
    const lying: BlockInBatch = { ...first, parentHash: wrong }
    return new Batch({ ...batch, blocks: [lying, ...rest] })
  }

  #subscribe(socket: WebSocket): void {
    socket.on('error', () => undefined)
    socket.on('close', () => this.#subscribers.delete(socket))
    socket.on('message', (data) => {
      const { params } = JSON.parse(String(data)) as { params: readonly { from?: string }[] }
      this.requests.push(`subscribe ${params[0]?.from ?? ''}`.trim())
      socket.send('{"jsonrpc":"2.0","id":1,"result":"0x1"}')
      const from = params[0]?.from
      const state = { next: from === undefined ? undefined : BigInt(from) }
      this.#subscribers.set(socket, state)
      this.#pushTo(socket, state)
    })
  }

  #pushTo(socket: WebSocket, state: { next: bigint | undefined }): void {
    for (const batch of this.chain.from(state.next, PAGE)) {
      state.next = batch.id.number + 1n
      if (!this.#frame(socket, batch)) return
    }
  }

  /** False when the socket is gone. */
  #frame(socket: WebSocket, batch: Batch): boolean {
    const fault = this.#plan.next()
    const text = encodeBatch(fault === 'wrong_hash' ? this.#lie(batch) : batch)
    switch (fault) {
      case 'gap':
      case 'half':
      case 'empty':
        return true
      case 'repeat':
        socket.send(text)
        socket.send(text)
        return true
      case 'garbage':
        socket.send('{"id":')
        return true
      case 'cut':
      case 'oversized':
      case 'status':
        socket.close(1011)
        return false
      case 'stall':
        // Nothing more, and no answer to a ping either.
        ;(socket as unknown as { _socket: Socket })._socket.pause()
        this.#subscribers.delete(socket)
        this.#plan.stalled()
        return false
      case 'cut_frame': {
        // The head of a frame that announces more than comes.
        const raw = (socket as unknown as { _socket: Socket })._socket
        const half = Buffer.from(text.slice(0, text.length >> 1))
        const head = Buffer.from([0x81, 126, (text.length >> 8) & 255, text.length & 255])
        raw.write(Buffer.concat([head, half]), () => raw.destroy())
        this.#subscribers.delete(socket)
        return false
      }
      default: {
        const form = this.#plan.below(3)
        if (form === 0) socket.send(text)
        else if (form === 1) socket.send(Buffer.from(text))
        else socket.send(`{"jsonrpc":"2.0","method":"cdk_batch","params":{"subscription":"0x1","result":${text}}}`)
        return true
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#webSockets.clients) socket.terminate()
    this.dropConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

export const noFaults: ServerPlan = { next: () => undefined, below: () => 0, stalled: () => undefined }
