/** An answer that is given again to the same request (streams-service.md §5). */
export interface IdempotentAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a key stands for. `hash`: of the request. Times are milliseconds since 1970. */
export interface IdempotencyEntry {
  readonly key: string
  readonly hash: string
  readonly answer: IdempotentAnswer
  readonly expiresAt: number
}

/** What becomes of a request with a key. */
export type Begun =
  /** It runs; its key is its own until `finish` or `abandon`. */
  | { readonly kind: 'new' }
  /** The first one is not done. */
  | { readonly kind: 'running' }
  | { readonly kind: 'answer'; readonly answer: IdempotentAnswer }
  /** The key stands for another request. */
  | { readonly kind: 'mismatch' }
  /** Too many keys are kept. */
  | { readonly kind: 'full' }

/** Answers kept under the keys of their requests; key = tenant, route and the client's key. */
export interface Idempotency {
  begin(key: string, hash: string, now: number): Promise<Begun>
  /** Keeps the answer; frames carry theirs in `Append.idempotency` instead. */
  finish(key: string, answer: IdempotentAnswer, now: number): Promise<void>
  /** The request failed: the next one with the key runs. */
  abandon(key: string): void
}
