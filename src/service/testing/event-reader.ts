import { createParser } from 'eventsource-parser'

export interface SeenEvent {
  readonly name: string
  readonly id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: tests look at members of whatever came.
  readonly data: any
}

/** The events of a live connection, one by one. */
export class EventReader {
  readonly status: number
  readonly headers: Headers
  readonly text: () => Promise<string>
  readonly #events: SeenEvent[] = []
  readonly #abort: AbortController
  #news = Promise.withResolvers<void>()
  #ended = false
  comments = 0

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status
    this.headers = response.headers
    this.text = () => response.text()
    this.#abort = abort
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) void this.#read(response)
  }

  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
    const abort = new AbortController()
    const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: abort.signal })
    return new EventReader(response, abort)
  }

  async #read(response: Response): Promise<void> {
    const parser = createParser({
      onEvent: ({ event = '', id, data }) => {
        this.#events.push({ name: event, id, data: JSON.parse(data) })
        this.#tell()
      },
      onComment: () => {
        this.comments++
        this.#tell()
      },
    })
    const decoder = new TextDecoder()
    try {
      for await (const chunk of response.body!) parser.feed(decoder.decode(chunk, { stream: true }))
    } catch {
      // Cut off.
    }
    this.#ended = true
    this.#tell()
  }

  #tell(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }

  /** The next event; undefined at the end of the connection. */
  async next(): Promise<SeenEvent | undefined> {
    while (this.#events.length === 0 && !this.#ended) await this.#news.promise
    return this.#events.shift()
  }

  async take(count: number): Promise<readonly SeenEvent[]> {
    const taken: SeenEvent[] = []
    for (let i = 0; i < count; i++) {
      const event = await this.next()
      if (event === undefined) break
      taken.push(event)
    }
    return taken
  }

  /** Resolves at the next comment. */
  async comment(): Promise<void> {
    const before = this.comments
    while (this.comments === before && !this.#ended) await this.#news.promise
  }

  close(): void {
    this.#abort.abort()
  }
}
